"""HTTP and websockets: the edge of the one asyncio process.

========  ===================================  ========================================================================
method    path                                 what
========  ===================================  ========================================================================
GET       /                                    the studio page (`index.html` of the web root)
GET       /watch/{broadcast}                   the viewer page (`watch.html`)
GET       /web/{file}                          the pages' own files
GET       /api/avatars                         ``[{name, title, kind, thumbnail_url, picture_url}]``
GET       /api/avatars/{name}/thumbnail.jpg    and ``/picture.png``
POST      /api/avatars?name=anna&title=Anna    the picture as the body (at most 20 MB); hand-placed points, where the face is
                                               not found by itself, as JSON in `&points=`; 201 with the avatar, or 4xx
POST      /api/broadcasts                      JSON ``{avatar, size?, fps?}`` ("512x512", 25) → 201 ``{id, state, avatar, size,
                                               fps, watch_url, whip_url, whep_url, control_url}``
GET       /api/broadcasts/{broadcast}          the same, with `viewers`; 404 once it is over
DELETE    /api/broadcasts/{broadcast}          end it; 204
POST      /whip/{broadcast}                    the host's offer → 201 answer with Location, ETag (RFC 9725); makes the broadcast
                                               when the id is new (`?avatar=&size=&fps=`), 409 when it has a host
POST      /whep/{broadcast}                    a viewer's offer → 201 answer; 404 for an unknown broadcast
PATCH     the Location of either               trickled candidates (application/trickle-ice-sdpfrag) → 204; 412, 428
DELETE    the Location of either               leave; the host's ends the broadcast
WS        /control/{broadcast}?role=host       `streamer.protocol`; `role=viewer` only listens: hello, state
GET       /schema                              JSON Schema of the control messages
GET       /healthz  /readyz  /metrics          alive; able to take a broadcast; Prometheus text
========  ===================================  ========================================================================

Every error is ``{"error": {"code": ..., "message": ...}}``.
"""
