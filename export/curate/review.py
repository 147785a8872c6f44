"""The review page: a person accepts or rejects clip after clip by keyboard; choices go into the manifest at once."""

from __future__ import annotations

from pathlib import Path

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from export.curate import manifest
from export.curate.filters import AESTHETIC, FILTERS
from export.curate.manifest import ManifestError

PAGES = Path(__file__).parent / "pages"
_SHOWN = (
    "clip", "file", "start_s", "end_s", "width", "height", "caption", "transcript", "language", "choice", "rejected_by",
    *(each.name for each in (*FILTERS, AESTHETIC)),
)  # fmt: skip


def review_app(folder: Path, hosts: tuple[str, ...] = ("127.0.0.1", "localhost")) -> Starlette:
    """Serves the set in `folder`; clips that failed are not shown. hosts: names it answers to, so that no page of another site
    can choose in the reviewer's name. Raises ManifestError where there is no set."""
    manifest.read(folder)
    name = folder.resolve().name

    async def clips(_: Request) -> Response:
        rows = await run_in_threadpool(manifest.read, folder)
        shown = [{name: row[name] for name in _SHOWN} for row in rows if row["status"] == "scored"]
        filters = [{"name": each.name, "title": each.title} for each in (*FILTERS, AESTHETIC)]
        return JSONResponse({"name": name, "filters": filters, "clips": shown})

    async def choice(request: Request) -> Response:
        try:
            asked = await request.json()
            row = await run_in_threadpool(manifest.choose, folder, str(asked["clip"]), str(asked["choice"]))
        except (ValueError, KeyError, TypeError) as error:
            text = str(error) if isinstance(error, ManifestError) else 'send {"clip": …, "choice": "accept", "reject" or ""}'
            return JSONResponse({"error": text}, status_code=400)
        return JSONResponse({"choice": row["choice"], "kept": row["kept"]})

    def page(file: str) -> Route:
        return Route("/" if file == "review.html" else f"/{file}", lambda _: FileResponse(PAGES / file))

    return Starlette(
        routes=[
            page("review.html"), page("review.js"), page("set.css"),
            Route("/clips.json", clips), Route("/choice", choice, methods=["POST"]),
            Mount("/files/clips", StaticFiles(directory=folder / "clips", check_dir=False)),
        ],
        middleware=[Middleware(TrustedHostMiddleware, allowed_hosts=list(hosts))],
    )  # fmt: skip
