"""Every error that leaves the service, as problem+json (RFC 9457), and the one table of HTTP statuses.

A problem has a stable `code`, a sentence in the caller's language, where in the body something is wrong, the request's
id, and whether the same request may be sent again. It never repeats what was sent, but for names of fields.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any, Final

import orjson
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response

from rules.policy import Text
from tierengine.errors import (
    CATALOGUE,
    Broken,
    Conflict,
    FormError,
    Malformed,
    Refused,
    Stale,
    TierengineError,
    Unavailable,
    Unknown,
)
from tierengine.errors import sentence as said

PROBLEM: Final = "application/problem+json"
RETRY_AFTER: Final = "1"

_log = logging.getLogger(__name__)

STATUS: Final[tuple[tuple[type[TierengineError], int], ...]] = (
    (Malformed, 422),
    (Refused, 409),
    (Conflict, 409),
    (Stale, 412),
    (Unknown, 404),
    (Unavailable, 503),
    (Broken, 500),
)
# Where the class alone does not tell.
STATUS_OF_CODE: Final[Mapping[str, int]] = MappingProxyType(
    {"unauthenticated": 401, "log_in_failed": 401, "forbidden": 403, "idempotency_mismatch": 422, "exceeds_amount": 422}
)

# Errors of the protocol itself: code → (status, sentence).
PROTOCOL: Final[Mapping[str, tuple[int, Text]]] = MappingProxyType(
    {
        "bad_json": (
            400,
            Text(
                "请求体不是合格的 JSON：应为 UTF-8，键不重复，没有 NaN。",
                "The body is no proper JSON: UTF-8, no key twice, no NaN.",
            ),
        ),
        "idempotency_key_missing": (
            400,
            Text("写入须带 Idempotency-Key。", "Writes need an Idempotency-Key."),
        ),
        "idempotency_key_bad": (
            400,
            Text(
                "Idempotency-Key 应为 1 至 255 个可见 ASCII 字符。",
                "An Idempotency-Key has 1 to 255 visible ASCII characters.",
            ),
        ),
        "precondition_missing": (
            428,
            Text(
                "须带 If-Match（所见版本的 ETag）；新建用 If-None-Match: *。",
                "If-Match with the ETag that you saw is needed; If-None-Match: * for a new one.",
            ),
        ),
        "method_not_allowed": (405, Text("此地址不支持这种方法。", "This address does not take that method.")),
        "too_large": (413, Text("请求体过大，最多 {most} 字节。", "The body is too large; at most {most} bytes.")),
        "unsupported_media_type": (415, Text("请求体应为 application/json。", "The body must be application/json.")),
        "unsupported_content_encoding": (
            415,
            Text(
                "请求体请原样发送，不压缩：不要带 Content-Encoding。",
                "Send the body uncompressed: without Content-Encoding, or with identity.",
            ),
        ),
        "too_many_requests": (
            429,
            Text(
                "请求太多：{limit} 每分钟最多 {quota} 次，请 {seconds} 秒后再试。",
                "Too many requests: {limit} may ask {quota} times a minute; try again in {seconds} s.",
            ),
        ),
        "too_many_log_ins": (
            429,
            Text("登录失败太多，请 {seconds} 秒后再试。", "Too many failed log-ins; try again in {seconds} s."),
        ),
        "bad_request": (400, Text("请求有误。", "The request is wrong.")),
        "bad_parameter": (422, Text("参数不合要求。", "A parameter is wrong.")),
        "failed": (500, Text("系统出错，未作任何记录。", "We failed; nothing was recorded.")),
    }
)

# What of `bad_json` it was, by `details.reason`.
_BAD_JSON: Final[Mapping[str, Text]] = MappingProxyType(
    {
        "empty": Text("请求体是空的，应为 JSON 对象。", "The body is empty; a JSON object is expected."),
        "position": Text(
            "请求体不是合格的 JSON：第 {line} 行第 {column} 列有误；引号、逗号、冒号须是半角。",
            "The body is no proper JSON: wrong at line {line}, column {column}.",
        ),
        "key_twice": Text(
            "请求体不是合格的 JSON：同一个键写了两次：{key}。",
            "The body is no proper JSON: a key is written twice: {key}.",
        ),
        "no_number": Text(
            "请求体不是合格的 JSON:NaN、Infinity 不是数。",
            "The body is no proper JSON: NaN and Infinity are no numbers.",
        ),
        "digits": Text(
            "请求体不是合格的 JSON：有一个数的位数太多。", "The body is no proper JSON: a number has too many digits."
        ),
        "depth": Text("请求体嵌套太深，最多 {most} 层。", "The body nests too deep: at most {most} levels."),
        "encoding": Text(
            "请求体不是 UTF-8，编码像是 {encoding}：请按 UTF-8 发送。",
            "The body is not UTF-8, the encoding seems to be {encoding}: send it as UTF-8.",
        ),
        "not_utf8": Text("请求体不是 UTF-8：请按 UTF-8 发送。", "The body is not UTF-8: send it as UTF-8."),
    }
)

_BY_STATUS: Final = {404: "not_found", 405: "method_not_allowed", 413: "too_large"}


class Problem(Exception):
    """An error of the protocol, by its code in PROTOCOL."""

    def __init__(self, code: str, **details: int | str) -> None:
        self.code = code
        self.details = details
        super().__init__(code)


def sentence(code: str, details: Mapping[str, Any], lang: str) -> str:
    """Return the sentence of any code."""
    text = PROTOCOL[code][1] if code in PROTOCOL else PROTOCOL["failed"][1]
    if code == "bad_json":
        text = _BAD_JSON.get(str(details.get("reason")), text)
    try:
        return said(code, details, lang) if code in CATALOGUE else text.say(lang).format_map(details)
    except KeyError:
        return (CATALOGUE.get(code) or text).say(lang)


def language(request: Request) -> str:
    """Return "zh" or "en", by Accept-Language; Chinese when it says nothing."""
    best, chosen = 0.0, "zh"
    for part in request.headers.get("accept-language", "").split(",")[:20]:
        tag, _, weight = part.strip().partition(";q=")
        try:
            quality = float(weight) if weight else 1.0
        except ValueError:
            continue
        name = tag.strip().lower()[:2]
        if name in ("zh", "en") and best < quality <= 1.0:
            best, chosen = quality, name
    return chosen


def request_id(request: Request) -> str:
    """Return the id of the request, which the outermost layer gave it."""
    return str(request.scope.get("tierengine.request_id", ""))


def problem(
    request: Request,
    status: int,
    code: str,
    details: Mapping[str, Any] | None = None,
    *,
    errors: Iterable[FormError] = (),
    more: Mapping[str, Any] | None = None,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """Return the problem as an answer."""
    lang = language(request)
    details = details or {}
    retryable = status in (429, 503) or code == "in_flight"
    body: dict[str, Any] = {
        "type": f"urn:tierengine:problem:{code}",
        "title": code.replace("_", " "),
        "status": status,
        "detail": sentence(code, details, lang),
        "code": code,
        "request_id": request_id(request),
        "retryable": retryable,
    }
    if details:
        body["details"] = dict(details)
    listed = [{"pointer": one.pointer, "code": one.code, "detail": one.say(lang)} for one in errors]
    if listed:
        body["errors"] = listed
    body |= more or {}
    sent = {"content-language": lang, **(headers or {})}
    if retryable:
        # (Whoever sends the same key again gets the answer of the first.)
        sent.setdefault("retry-after", RETRY_AFTER)
    if status == 401:
        sent["www-authenticate"] = "Bearer"
    return Response(orjson.dumps(body), status, sent, PROBLEM)


def status_of(error: TierengineError) -> int:
    """Return the HTTP status of an error."""
    if error.code in STATUS_OF_CODE:
        return STATUS_OF_CODE[error.code]
    return next((status for kind, status in STATUS if isinstance(error, kind)), 500)


def ours(request: Request, error: TierengineError) -> Response:
    """Return an error of the engine as an answer."""
    errors = error.errors if isinstance(error, Malformed) else ()
    return problem(request, status_of(error), error.code, error.details, errors=errors)


async def _ours(request: Request, error: Exception) -> Response:
    if not isinstance(error, TierengineError):
        raise error
    return ours(request, error)


async def _protocol(request: Request, error: Exception) -> Response:
    if not isinstance(error, Problem):
        raise error
    status = PROTOCOL[error.code][0]
    headers = {"retry-after": str(error.details["seconds"])} if status == 429 else None
    if error.code == "unsupported_content_encoding":
        headers = {"accept-encoding": "identity"}  # RFC 9110, 12.5.3: what is taken instead
    return problem(request, status, error.code, error.details, headers=headers)


async def _parameters(request: Request, error: Exception) -> Response:
    """Say which parameter is wrong, and never what was sent."""
    if not isinstance(error, RequestValidationError):
        raise error
    from api.forms import error_of  # noqa: PLC0415  it brings pydantic's models, which only such an error needs

    errors = [replace(one, pointer=f"#{one.pointer}") for one in map(error_of, error.errors())]
    return problem(request, 422, "bad_parameter", errors=errors)


async def _http(request: Request, error: Exception) -> Response:
    if not isinstance(error, HTTPException):
        raise error
    code = _BY_STATUS.get(error.status_code, "bad_request")
    details = {"most": 0} if code == "too_large" else {}
    return problem(request, error.status_code, code, details, headers=error.headers)


_HANDLERS: Final[Mapping[type[Exception], Callable[[Request, Exception], Awaitable[Response]]]] = MappingProxyType(
    {TierengineError: _ours, Problem: _protocol, RequestValidationError: _parameters, HTTPException: _http}
)


def install(app: FastAPI) -> None:
    """Answer every error of `app` as a problem."""
    for kind, handler in _HANDLERS.items():
        app.add_exception_handler(kind, handler)


async def answer(request: Request, error: Exception) -> Response:
    """Return an error as an answer, as an app that `install` was called for gives it; raises what is none of ours."""
    for kind, handler in _HANDLERS.items():
        if isinstance(error, kind):
            return await handler(request, error)
    raise error
