"""Send spans to a collector over OTLP (HTTP, protobuf); needs the extra `otel`."""

import logging
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import OTELResourceDetector, Resource
from opentelemetry.sdk.trace import Event, ReadableSpan
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import SpanContext, TraceFlags
from opentelemetry.trace.status import Status, StatusCode

from sweeper.telemetry.tracing import Mark, Span

_log = logging.getLogger(__name__)

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FLAGS = TraceFlags(TraceFlags.SAMPLED)


class OtlpSpans:
    """Takes spans at once, and sends them by a thread of its own, some seconds later.

    Where to, and how, is what OpenTelemetry's environment variables say. Spans that the bounded
    queue has no room for are lost.

    Raises:
        ValueError: one of these variables holds what cannot be.
    """

    def __init__(self, version: str) -> None:
        ours = Resource({"service.name": "sweeper", "service.version": version})
        self._resource = ours.merge(OTELResourceDetector().detect())
        self._scope = InstrumentationScope("sweeper", version)
        # The library would tell of each try by itself, with the address and its credentials.
        logging.getLogger("opentelemetry").setLevel(logging.CRITICAL)
        self._processor = BatchSpanProcessor(_ToldExporter(OTLPSpanExporter()))

    def send(self, span: Span) -> None:
        """Take a span; never waits."""
        self._processor.on_end(self._readable(span))

    def close(self) -> None:
        """Send what is left; may take as long as the collector's timeout."""
        self._processor.shutdown()  # type: ignore[no-untyped-call] # the library's own gap

    def _readable(self, span: Span) -> ReadableSpan:
        parent = None if span.parent_id is None else _context(span.trace_id, span.parent_id)
        is_error = bool(span.error)
        return ReadableSpan(
            name=span.name,
            context=_context(span.trace_id, span.span_id),
            parent=parent,
            resource=self._resource,
            attributes=dict(span.fields),
            events=[_event(mark) for mark in span.marks],
            status=Status(StatusCode.ERROR, span.error) if is_error else Status(StatusCode.OK),
            start_time=_nanoseconds(span.began_at),
            end_time=_nanoseconds(span.ended_at),
            instrumentation_scope=self._scope,
        )


class _ToldExporter(SpanExporter):
    """Says once that spans do not arrive, and once that they do again."""

    def __init__(self, exporter: SpanExporter) -> None:
        self._exporter = exporter
        self._fails = False

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        result = self._exporter.export(spans)
        fails = result is not SpanExportResult.SUCCESS
        if fails and not self._fails:
            _log.warning(
                "Traces do not get to their collector: look at OTEL_EXPORTER_OTLP_ENDPOINT"
            )
        elif self._fails and not fails:
            _log.info("Traces get to their collector again")
        self._fails = fails
        return result

    def shutdown(self) -> None:
        self._exporter.shutdown()


def _context(trace_id: int, span_id: int) -> SpanContext:
    return SpanContext(trace_id, span_id, is_remote=False, trace_flags=_FLAGS)


def _event(mark: Mark) -> Event:
    return Event(mark.name, attributes=dict(mark.fields), timestamp=_nanoseconds(mark.at))


def _nanoseconds(at: datetime) -> int:
    return (at - _EPOCH) // timedelta(microseconds=1) * 1000
