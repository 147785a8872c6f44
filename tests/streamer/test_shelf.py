"""Where workers leave opened avatars for each other."""

import signal
import subprocess
import sys
from pathlib import Path

from streamer.shelf import Shelf

_SERVER = "import sys, time; from pathlib import Path; from streamer.shelf import Shelf; "
_SERVER += "print(Shelf(Path(sys.argv[1])).folder, flush=True); time.sleep(600)"


def test_a_server_removes_what_a_killed_one_has_left_and_nothing_of_one_that_lives(tmp_path: Path) -> None:
    servers = [subprocess.Popen([sys.executable, "-c", _SERVER, tmp_path], stdout=subprocess.PIPE, text=True) for _ in "12"]
    try:
        killed, alive = (Path(server.stdout.readline().strip()) for server in servers if server.stdout)
        for folder in (killed, alive):
            (folder / "anna.look").write_bytes(b"opened")
        servers[0].send_signal(signal.SIGKILL)
        servers[0].wait()
        assert killed.exists()
        shelf = Shelf(tmp_path)
        assert not killed.exists() and (alive / "anna.look").exists() and shelf.folder.exists()
        shelf.close()
        assert list(tmp_path.iterdir()) == [alive]
    finally:
        for server in servers:
            server.kill()
            server.communicate()


def test_a_server_leaves_alone_what_only_bears_the_name(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "mine").touch()
    (tmp_path / "rostrum-looks-link").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "rostrum-looks-file").touch()
    Shelf(tmp_path).close()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["elsewhere", "rostrum-looks-file", "rostrum-looks-link"]
    assert (tmp_path / "elsewhere" / "mine").exists()
