"""Telemetry gives nothing away, breaks nothing, and is not loaded by who does not use it."""

from __future__ import annotations

import logging
import subprocess
import sys
import time
from typing import Any

import pytest
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.trace import SpanProcessor, TracerProvider

from picoworkers_async import AsyncPicoworkers, Edition, Rating, RetryPolicy
from picoworkers_async.sandbox import Faults, TextProof
from picoworkers_async.telemetry import Telemetry
from tests.support.seeding import RATING_CALLS, seeded
from tests.telemetry.conftest import Collected

pytestmark = [pytest.mark.anyio, pytest.mark.virtual_time]

SECRET, WORDS = "s3cret-of-the-account", "words of a worker"


@pytest.mark.parametrize(
    "fault", ["html_200", "error_500_after", "cut_after", "error_json", "half_answer", "too_many"]
)
async def test_nothing_that_is_made_holds_the_secret_or_words_of_anybody(
    fault: str, collected: Collected, caplog
) -> None:
    caplog.set_level(logging.DEBUG)
    sandbox, _ = seeded(0, api_secret=SECRET, faults=Faults(**{fault: 0.6}), seed=1)
    job_id = sandbox.add_job(num_tasks=100, title="words of mine")
    sandbox.add_tasks(job_id, 10, proofs=[TextProof(WORDS)])
    pico = AsyncPicoworkers(
        "user_id",
        SECRET,
        transport=sandbox.transport(),
        on_event=collected.telemetry,
        retry=RetryPolicy(initial=0.001, maximum=0.01),
    )

    def decide(task) -> Rating:
        if task.proofs and "0" in task.id:
            raise ValueError(f"{WORDS}: {task.proofs}")
        return Rating.not_ok(task, "words of mine")

    async with pico:
        report = await pico.review_all(decide)
    assert report.total == 10
    made = collected.everything()
    assert "picoworkers.review" in made
    for never in (SECRET, "user_id", "Authorization", WORDS, "words of mine"):
        assert never not in made
    assert SECRET not in caplog.text + repr([vars(record) for record in caplog.records])


class Broken(SpanProcessor):
    """Raises where a span begins."""

    def on_start(self, span: Any, parent_context: Any = None) -> None:
        raise RuntimeError("the processor is broken")


class Slow(SpanProcessor):
    """Blocks the event loop where a span ends."""

    def on_end(self, span: Any) -> None:
        time.sleep(0.002)


@pytest.mark.parametrize("processor", [Broken, Slow])
async def test_a_tracer_that_raises_or_blocks_breaks_no_batch_and_no_metric(
    connect, edition: Edition, collected: Collected, processor: type[SpanProcessor], caplog
) -> None:
    tracers = TracerProvider()
    tracers.add_span_processor(processor())
    telemetry = Telemetry(tracer_provider=tracers, meter_provider=collected.meters)
    sandbox, _ = seeded(30, edition=edition, faults=Faults(cut_after=0.3), seed=5)
    async with connect(sandbox, on_event=telemetry) as pico:
        report = await pico.review_all(Rating.ok)
    assert report.rated == 30
    assert sandbox.double_ratings == 0
    assert collected.counts("picoworkers.rating.outcomes") == {("rated",): 30}
    assert caplog.text.count("on_event raised") == (processor is Broken)


class BrokenForSettling(SpanProcessor):
    """Raises where a span of settling begins."""

    def on_start(self, span: Any, parent_context: Any = None) -> None:
        if span.name == "picoworkers.settle":
            raise RuntimeError("the processor is broken")


async def test_the_span_of_a_batch_outlasts_one_of_settling_that_could_not_begin(
    connect, collected: Collected
) -> None:
    collected.tracers.add_span_processor(BrokenForSettling())
    sandbox, ratings = seeded(5, faults=Faults(cut_after=1, only=RATING_CALLS))
    async with connect(sandbox, on_event=collected.telemetry) as pico:
        await pico.rate_all(ratings)
    (batch,) = collected.spans("picoworkers.rate")
    assert batch.attributes["picoworkers.rated"] == 5
    assert set(collected.parents("GET")) == set(collected.ids("picoworkers.rate"))


async def test_a_meter_that_raises_leaves_the_spans(connect, collected: Collected, monkeypatch, caplog) -> None:
    def raises(*_: object) -> None:
        raise RuntimeError("the meter is broken")

    telemetry = Telemetry(tracer_provider=collected.tracers, meter_provider=MeterProvider())
    monkeypatch.setattr(telemetry._metrics, "tell", raises)
    sandbox, ratings = seeded(3)
    async with connect(sandbox, on_event=telemetry) as pico:
        assert (await pico.rate_all(ratings)).rated == 3
    assert len(collected.spans("POST")) == 3
    assert len(collected.spans("picoworkers.rate")) == 1
    assert caplog.text.count("on_event raised") == 1


def output_of(program: str) -> str:
    command = [sys.executable, "-c", program]
    return subprocess.run(command, capture_output=True, check=True, text=True).stdout.strip()


def test_the_package_loads_nothing_of_it() -> None:
    loaded = output_of("import sys, picoworkers_async; print(*sys.modules)").split()
    assert not [name for name in loaded if "opentelemetry" in name or "telemetry" in name.split(".")]


def test_telemetry_loads_the_api_alone() -> None:
    loaded = output_of("import sys, picoworkers_async.telemetry; print(*sys.modules)").split()
    assert "opentelemetry.trace" in loaded
    assert not [name for name in loaded if name.startswith(("opentelemetry.sdk", "opentelemetry.instrumentation"))]


def test_without_the_extra_the_error_names_the_command_that_installs_it() -> None:
    said = output_of(
        "import sys\n"
        "sys.modules['opentelemetry'] = None\n"
        "try:\n    import picoworkers_async.telemetry\n"
        "except ImportError as error:\n    print(error)\n"
    )
    assert 'pip install "picoworkers-async[otel]"' in said
