"""Settings of a server from a TOML file and the environment: flags win over the environment, and that over the file.

The keys are the flags' own names, so that whatever can be said by a flag can be said in a file, and nothing else:

    port = 8080                      # --port 8080                 ROSTRUM_SERVE_PORT=8080
    ice-server = ["stun:a", "stun:b"]  # may be repeated: a list     ROSTRUM_SERVE_ICE_SERVER="stun:a stun:b"
    open = true                      # --open                      ROSTRUM_SERVE_OPEN=yes

Tables are for reading only: `[director]` may stand over the director's keys, or over any others.
"""

from __future__ import annotations

import argparse
import difflib
import json
import os
import textwrap
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

_TRUE, _FALSE = ("1", "true", "yes", "on"), ("0", "false", "no", "off")
_PREFIX = "ROSTRUM_SERVE_"
_NOT_SETTINGS = ("help", "config", "print-config", "json", "url")


class SettingsError(ValueError):
    """A file or a variable that cannot be used; the message names the key, and the nearest one that is known."""


def read_settings(
    parser: argparse.ArgumentParser, file: Path | None, environment: Mapping[str, str] | None = None
) -> dict[str, Any]:
    """Values by the parser's own names, for `set_defaults`. Raises SettingsError."""
    actions = dict(_settings(parser))
    found: dict[str, Any] = {}
    for key, given in _in_file(file) if file else ():
        action = _known(actions, key, str(file))
        found[action.dest] = _value(action, given, f"{file}: {key}")
    variables = {f"{_PREFIX}{key.upper().replace('-', '_')}": key for key in actions}
    for name, text in (os.environ if environment is None else environment).items():
        if name.startswith(_PREFIX):
            if name not in variables:
                raise SettingsError(f"the environment: {name} is no setting{_nearest(name, variables)}")
            action = actions[variables[name]]
            found[action.dest] = _value(action, _from_text(action, text), f"the environment: {name}")
    return found


def example(parser: argparse.ArgumentParser) -> str:
    """A file with every setting there is, each with what it means and its default, commented out."""
    lines = [
        "# Settings of `rostrum serve`, by `rostrum serve --print-config`. Use: rostrum serve --config rostrum.toml",
        "# A key is a flag's name. Flags win over the environment (ROSTRUM_SERVE_PORT=8080), and that over this file.",
        "# What is commented out is the default.",
    ]
    for group in parser._action_groups:
        actions = [action for action in group._group_actions if _key(action) and _key(action) not in _NOT_SETTINGS]
        if not actions:
            continue
        if group.title not in ("options", "optional arguments"):
            lines += ["", *_comment(f"-- {group.title}: {group.description}")]
        for action in actions:
            what = (action.help or "").replace("%(default)s", str(action.default)).replace("%%", "%")
            if action.choices:
                what = f"{what} ({', '.join(map(str, action.choices))})"
            lines += ["", *_comment(what), f"# {_key(action)} = {_toml(action)}"]
    return "\n".join(lines) + "\n"


def _comment(text: str) -> list[str]:
    return textwrap.wrap(text, 118, initial_indent="# ", subsequent_indent="# ")


# -- keys and values ----------------------------------------------------------------------------------------------------


def _settings(parser: argparse.ArgumentParser) -> Iterator[tuple[str, argparse.Action]]:
    for action in parser._actions:
        if (key := _key(action)) and key not in _NOT_SETTINGS:
            yield key, action


def _key(action: argparse.Action) -> str:
    """The long flag without its dashes; "" for what is no flag."""
    return next((flag[2:] for flag in action.option_strings if flag.startswith("--")), "")


def _in_file(file: Path) -> Iterator[tuple[str, Any]]:
    try:
        content = tomllib.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise SettingsError(f"{file} cannot be read: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"{file} is not TOML: {error}") from None
    for name, value in content.items():
        yield from value.items() if isinstance(value, dict) else ((name, value),)


def _known(actions: dict[str, argparse.Action], key: str, where: str) -> argparse.Action:
    if key not in actions:
        raise SettingsError(f"{where}: {key} is no setting{_nearest(key, actions)}")
    return actions[key]


def _nearest(name: str, known: Mapping[str, Any]) -> str:
    near = difflib.get_close_matches(name, known, 1, 0.5)
    return f"; did you mean {near[0]}?" if near else "; `rostrum serve --print-config` lists them all"


def _is_switch(action: argparse.Action) -> bool:
    return isinstance(action, argparse.BooleanOptionalAction) or action.const is True


def _value(action: argparse.Action, given: Any, where: str) -> Any:
    """What argparse would have made of it."""
    if _is_switch(action):
        if not isinstance(given, bool):
            raise SettingsError(f"{where}: {given!r} is not true or false")
        return given
    if isinstance(action, argparse._AppendAction):
        if not isinstance(given, list):
            raise SettingsError(f'{where}: {given!r} is not a list, such as ["one", "two"]')
        return [_one(action, each, where) for each in given]
    return _one(action, given, where)


def _one(action: argparse.Action, given: Any, where: str) -> Any:
    if isinstance(given, bool | list | dict):
        raise SettingsError(f"{where}: {given!r} is not one value")
    try:
        value = action.type(str(given)) if callable(action.type) else str(given)
    except (ValueError, argparse.ArgumentTypeError) as error:
        raise SettingsError(f"{where}: {given!r} cannot be used: {error}") from None
    if action.choices and value not in action.choices:
        raise SettingsError(f"{where}: {given!r} is not one of {', '.join(map(str, action.choices))}")
    return value


def _from_text(action: argparse.Action, text: str) -> Any:
    if _is_switch(action):
        word = text.strip().lower()
        return True if word in _TRUE else False if word in _FALSE else text
    return text.split() if isinstance(action, argparse._AppendAction) else text


def _toml(action: argparse.Action) -> str:
    """The default as TOML; for what has none, something of its kind, and that it is not set."""
    if action.default is None:
        return f"{'true' if _is_switch(action) else json.dumps(action.metavar or 'NAME')}  # not set"
    return json.dumps(action.default)  # of switches, numbers, words and lists the same as TOML
