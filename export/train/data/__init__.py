"""Training data of the motion transformer: a folder of clips, each a sound and the motion that goes with it.

``python -m export.train.data.make --out DIR --hours H --seed S [--talking DIR]`` writes the folder. A clip is one ``.npz`` of
about 6–14 s (``T`` frames); ``load_clip`` reads it back:

=========  ====================  =====================================================================================
key        type                  meaning
=========  ====================  =====================================================================================
motion     float16 [T, 64]       ``engines.motion`` channels in their true units, 50 frames a second exactly
audio      int16 [T * 320]       mono, 16 kHz, clean: the trainer augments
beats      str (JSON list)       in time order, covering the clip; see below
weight     float32 [64]          1 where the channel carries a truth to learn from, 0 where it says nothing (a real
                                 clip knows no camera), between where it is a weak one
voice      str                   ``engine:name`` plus its variation; one voice is never in both splits
language   str                   ISO 639-1: en zh ja ko de fr es it pt hi ar …; ``und`` where nobody speaks
kind       str                   ``tts``, ``real`` or ``idle`` (nobody speaks: room, noise, music)
split      str                   ``train`` or ``val``
speech     uint8 [T]             1 in frames where somebody speaks (from the phones, not from loudness)
=========  ====================  =====================================================================================

A beat is ``{"start_s", "end_s", "emotion", "intensity", "action", "camera", "camera_speed", "text"}``: words of
``engines.prompts`` (``action`` may be null), seconds from the clip's start, and ``text``, the line that prompts it: the
canonical line of ``beat_prompt`` in most beats, a paraphrase of it in the others. Beside the clips ``index.json`` lists
them: ``[{"file", "voice", "language", "kind", "split", "num_frames"}, …]``.

How a clip comes about: ``texts`` writes sentences, ``voices`` speaks them with the times of their phones, ``phones`` says
what the lips and the jaw aim at in each, ``coarticulation`` makes a smooth track of the aims, ``gestures`` adds emotion,
action, gaze, blinks, head and camera, ``real`` turns measured landmarks of real talkers into the same channels, and
``make`` writes the folder.
"""

from __future__ import annotations

MOTION_FPS = 50
SAMPLE_RATE_HZ = 16000
SAMPLES_PER_FRAME = SAMPLE_RATE_HZ // MOTION_FPS
