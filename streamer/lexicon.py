"""The embedded director's words. Earlier entries win within a clause; Latin words match from a word's edge (``smil`` finds
``smiling``), others anywhere."""

from __future__ import annotations

#: (word, emotion, usual intensity)
EMOTION_WORDS: tuple[tuple[str, str, float], ...] = (
    ("furious", "anger", 0.95), ("enrag", "anger", 0.95), ("angr", "anger", 0.7), ("annoy", "anger", 0.4), ("mad\\b", "anger", 0.7),
    ("stern", "anger", 0.35), ("暴怒", "anger", 0.95), ("愤怒", "anger", 0.8), ("生气", "anger", 0.65), ("怒", "anger", 0.7), ("화난", "anger", 0.7),
    ("thrill", "excitement", 0.9), ("ecstatic", "excitement", 0.95), ("excit", "excitement", 0.75), ("enthusias", "excitement", 0.7),
    ("energetic", "excitement", 0.65), ("兴奋", "excitement", 0.8), ("激动", "excitement", 0.8), ("热情", "excitement", 0.65), ("興奮", "excitement", 0.8), ("신난", "excitement", 0.8),
    ("beam", "joy", 0.85), ("overjoyed", "joy", 0.95), ("delight", "joy", 0.8), ("joy", "joy", 0.7), ("happ", "joy", 0.65), ("cheer", "joy", 0.65),
    ("smil", "joy", 0.55), ("warm", "joy", 0.4), ("friendly", "joy", 0.4), ("confident", "joy", 0.3), ("grin", "joy", 0.7), ("微笑", "joy", 0.5),
    ("高兴", "joy", 0.65), ("开心", "joy", 0.7), ("快乐", "joy", 0.7), ("喜悦", "joy", 0.75), ("温暖", "joy", 0.4), ("笑顔", "joy", 0.6), ("嬉し", "joy", 0.7), ("기쁜", "joy", 0.7), ("미소", "joy", 0.5),
    ("heartbroken", "sadness", 0.95), ("griev", "sadness", 0.85), ("sad", "sadness", 0.65), ("sorrow", "sadness", 0.75), ("melanchol", "sadness", 0.5),
    ("悲伤", "sadness", 0.75), ("难过", "sadness", 0.65), ("伤心", "sadness", 0.7), ("悲し", "sadness", 0.7), ("슬픈", "sadness", 0.7),
    ("astonish", "surprise", 0.9), ("amaz", "surprise", 0.8), ("surpris", "surprise", 0.7), ("shock", "surprise", 0.9), ("惊讶", "surprise", 0.75), ("吃惊", "surprise", 0.75), ("驚", "surprise", 0.75), ("놀란", "surprise", 0.75),
    ("terrif", "fear", 0.95), ("scared", "fear", 0.75), ("afraid", "fear", 0.7), ("fear", "fear", 0.7), ("nervous", "fear", 0.4), ("anxious", "fear", 0.5), ("害怕", "fear", 0.7), ("恐惧", "fear", 0.85), ("紧张", "fear", 0.4), ("怖", "fear", 0.7), ("무서", "fear", 0.7),
    ("disgust", "disgust", 0.75), ("revolt", "disgust", 0.9), ("厌恶", "disgust", 0.75), ("恶心", "disgust", 0.8), ("嫌悪", "disgust", 0.75), ("역겨", "disgust", 0.75),
    ("contempt", "contempt", 0.7), ("scorn", "contempt", 0.75), ("smug", "contempt", 0.5), ("disdain", "contempt", 0.7), ("轻蔑", "contempt", 0.7), ("不屑", "contempt", 0.6), ("軽蔑", "contempt", 0.7), ("경멸", "contempt", 0.7),
    ("confus", "confusion", 0.65), ("puzzl", "confusion", 0.6), ("perplex", "confusion", 0.75), ("困惑", "confusion", 0.65), ("疑惑", "confusion", 0.6), ("혼란", "confusion", 0.65),
    ("calm", "calm", 0.6), ("relax", "calm", 0.6), ("neutral", "calm", 0.5), ("serious", "calm", 0.5), ("平静", "calm", 0.6), ("冷静", "calm", 0.6), ("落ち着", "calm", 0.6), ("차분", "calm", 0.6),
)  # fmt: skip

DEGREE_WORDS: tuple[tuple[str, float], ...] = (
    ("slight", 0.2), ("a little", 0.25), ("a bit", 0.25), ("gentl", 0.3), ("subtl", 0.2), ("somewhat", 0.4), ("very", 0.8), ("extremely", 0.95),
    ("really", 0.8), ("strong", 0.8), ("deeply", 0.85), ("wildly", 0.95), ("稍微", 0.25), ("有点", 0.3), ("一点", 0.25), ("轻轻", 0.3), ("非常", 0.85), ("很", 0.75), ("极", 0.95),
    ("少し", 0.25), ("とても", 0.8), ("조금", 0.25), ("매우", 0.85), ("아주", 0.85),
)  # fmt: skip

PACE_WORDS: tuple[tuple[str, float], ...] = (
    ("slow", 0.25), ("gentl", 0.25), ("fast", 0.85), ("quick", 0.85), ("缓慢", 0.25), ("慢", 0.25), ("快", 0.85), ("ゆっくり", 0.25), ("천천히", 0.25),
)  # fmt: skip

CAMERA_WORDS: tuple[tuple[str, str], ...] = (
    ("zoom(?:s|ing)? out", "zoom_out"), ("zoom(?:s|ing)? in", "zoom_in"), ("(?:slow |fast |quick )?zoom", "zoom_in"), ("push in", "zoom_in"),
    ("pull (?:back|out)", "zoom_out"), ("pan(?:s|ning)? (?:to the )?left", "pan_left"), ("pan(?:s|ning)? (?:to the )?right", "pan_right"),
    ("camera tilts? up", "tilt_up"), ("camera tilts? down", "tilt_down"), ("camera shak", "shake"), ("(?:static|still) camera", "static"),
    ("camera (?:is )?st(?:ill|atic)", "static"), ("推近", "zoom_in"), ("镜头拉近", "zoom_in"), ("拉近", "zoom_in"), ("拉远", "zoom_out"), ("镜头左", "pan_left"), ("镜头右", "pan_right"),
    ("镜头上", "tilt_up"), ("镜头下", "tilt_down"), ("ズームイン", "zoom_in"), ("ズームアウト", "zoom_out"), ("줌인", "zoom_in"), ("줌아웃", "zoom_out"),
)  # fmt: skip

ACTION_WORDS: tuple[tuple[str, str], ...] = (
    ("nod", "nod"), ("shak(?:es?|ing) (?:the|your|her|his|their)? ?head", "shake"), ("turn(?:s|ing)?(?: (?:the|your|her|his|their) head)? (?:to the )?left", "turn_left"),
    ("turn(?:s|ing)?(?: (?:the|your|her|his|their) head)? (?:to the )?right", "turn_right"), ("tilt", "tilt"), ("look(?:s|ing)? (?:to the )?left", "look_left"), ("look(?:s|ing)? (?:to the )?right", "look_right"),
    ("look(?:s|ing)? up", "look_up"), ("look(?:s|ing)? down", "look_down"), ("lean(?:s|ing)? (?:in|forward|closer)", "lean_in"), ("lean(?:s|ing)? (?:back|away)", "lean_back"),
    ("shrug", "shrug"), ("(?:rais|lift)(?:es?|ing) (?:(?:the|your|her|his|their) )?(?:eye)?brow", "raise_brows"), ("frown", "frown"), ("wink", "wink"), ("clos(?:es?|ing) (?:(?:the|your|her|his|their) )?eyes", "close_eyes"),
    ("laugh", "laugh"), ("sigh", "sigh"), ("点头", "nod"), ("摇头", "shake"), ("左转", "turn_left"), ("向左转", "turn_left"), ("右转", "turn_right"), ("歪头", "tilt"), ("看左", "look_left"), ("向左看", "look_left"),
    ("看右", "look_right"), ("向右看", "look_right"), ("抬头", "look_up"), ("低头", "look_down"), ("前倾", "lean_in"), ("靠近", "lean_in"), ("后仰", "lean_back"), ("耸肩", "shrug"), ("挑眉", "raise_brows"), ("扬眉", "raise_brows"),
    ("皱眉", "frown"), ("眨眼", "wink"), ("闭眼", "close_eyes"), ("大笑", "laugh"), ("叹气", "sigh"), ("うなず", "nod"), ("頷", "nod"), ("首を振", "shake"), ("ウインク", "wink"), ("笑う", "laugh"), ("ため息", "sigh"),
    ("고개를 끄덕", "nod"), ("고개를 젓", "shake"), ("윙크", "wink"), ("웃", "laugh"), ("한숨", "sigh"),
)  # fmt: skip

NEGATIONS: tuple[str, ...] = (
    "don'?t", "do not", "no\\b", "not\\b", "stop", "without", "never", "less", "不要", "别", "不再", "ないで", "하지 마",
)  # fmt: skip
