"""The dashboard, the alert rules and the docs name what is really exported, and nothing else."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import anyio
import pytest
import yaml
from opentelemetry.exporter.prometheus import PrometheusMetricReader
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from prometheus_client import REGISTRY, generate_latest
from prometheus_client.parser import text_string_to_metric_families

from picoworkers_async import AsyncPicoworkers, Rating, RefusedError, Throttle
from picoworkers_async.sandbox import Sandbox
from picoworkers_async.telemetry import Telemetry

ROOT = Path(__file__).parent.parent.parent
BOT = ROOT / "examples" / "bot"
DOCS = (ROOT / "docs" / "how-to" / "telemetry.md").read_text(encoding="utf-8")

_OF_PROMETHEUS = {"le", "job", "instance"}
_WORDS = {"by", "and", "or", "unless", "without", "on", "ignoring", "offset", "bool"}


class Exported:
    """What a client that did everything has exported: as scraped, and as OpenTelemetry names it."""

    def __init__(self) -> None:
        self.samples: dict[str, set[str]] = {}
        self.metrics: dict[str, tuple[str, set[str]]] = {}

    def take(self, scraped: str, reader: InMemoryMetricReader) -> None:
        for family in text_string_to_metric_families(scraped):
            for sample in family.samples:
                self.samples.setdefault(sample.name, set()).update(sample.labels)
        data = reader.get_metrics_data()
        for metric in data.resource_metrics[0].scope_metrics[0].metrics:
            attributes = {name for point in metric.data.data_points for name in point.attributes}
            self.metrics[metric.name] = metric.unit, attributes


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Exported]:
    prometheus, memory = PrometheusMetricReader(), InMemoryMetricReader()
    meters = MeterProvider([prometheus, memory])
    telemetry, found = Telemetry(meter_provider=meters), Exported()
    sandbox = Sandbox(balance=1000)
    sandbox.add_tasks(sandbox.add_job(), 3)
    journal = tmp_path_factory.mktemp("exported") / "journal.db"

    async def everything() -> None:
        throttle = Throttle(requests_per_second=1000)
        pico = AsyncPicoworkers(
            "user_id", "api_secret", transport=sandbox.transport(), throttle=throttle, on_event=telemetry
        )
        async with pico:
            with pytest.raises(RefusedError):
                await pico.jobs.get_job("nowhere")
            async with pico.review(Rating.ok, follow=60, journal=journal) as batch:
                async for _ in batch:
                    found.take(generate_latest(REGISTRY).decode(), memory)
                    batch.stop()

    anyio.run(everything)
    yield found
    meters.shutdown()


def panels() -> list[dict]:
    return json.loads((BOT / "grafana.json").read_text())["panels"]


def rules() -> list[dict]:
    (group,) = yaml.safe_load((BOT / "alerts.yml").read_text())["groups"]
    return group["rules"]


EXPRESSIONS = {
    **{f"panel {one['title']} {target['refId']}": target["expr"] for one in panels() for target in one["targets"]},
    **{f"alert {one['alert']}": one["expr"] for one in rules()},
}


def used(expression: str) -> tuple[set[str], set[str]]:
    """The names of metrics and of labels in a query."""
    matchers = re.findall(r"\{([^}]*)\}", expression)
    grouped = re.findall(r"\bby\s*\(([^)]*)\)", expression)
    labels = {name for one in matchers for name in re.findall(r"(\w+)\s*(?:=~|!~|!=|=)", one)}
    labels |= {name.strip() for one in grouped for name in one.split(",")}
    bare = re.sub(r"\{[^}]*\}|\[[^]]*\]|\bby\s*\([^)]*\)|\"[^\"]*\"", " ", expression)
    # What is called is a function.
    return set(re.findall(r"\b[a-zA-Z_]\w*\b(?!\s*\()", bare)) - _WORDS, labels


def test_a_query_is_taken_apart() -> None:
    query = 'histogram_quantile(0.9, sum by (le, b) (rate(a_bucket{c="x",d=~"y|z"}[5m]))) > 3 * sum(e_total)'
    assert used(query) == ({"a_bucket", "e_total"}, {"le", "b", "c", "d"})


@pytest.mark.parametrize("where", EXPRESSIONS)
def test_every_metric_and_label_of_a_query_is_exported(where: str, exported: Exported) -> None:
    expression = EXPRESSIONS[where]
    metrics, labels = used(expression)
    assert metrics
    assert metrics <= set(exported.samples)
    assert labels - _OF_PROMETHEUS <= set.union(*(exported.samples[name] for name in metrics))
    assert all(expression.count(opening) == expression.count(closing) for opening, closing in ("()", "[]", "{}"))


def test_values_of_labels_in_queries_are_exported(exported: Exported) -> None:
    scraped = generate_latest(REGISTRY).decode()
    for expression in EXPRESSIONS.values():
        for name, value in re.findall(r'(picoworkers_\w+)=~?"([^"$]*)"', expression):
            for one in value.split("|"):
                assert f'{name}="{one}"' in scraped


def test_the_legend_of_a_panel_names_labels_that_its_query_keeps() -> None:
    for panel in panels():
        for target in panel["targets"]:
            kept = used(target["expr"])[1]
            assert set(re.findall(r"\{\{(\w+)\}\}", target["legendFormat"])) <= kept


def test_every_metric_is_on_the_dashboard(exported: Exported) -> None:
    shown = set().union(*(used(target["expr"])[0] for panel in panels() for target in panel["targets"]))
    families = {re.sub(r"_(bucket|count|sum|created)$", "", name) for name in exported.samples}
    ours = {name for name in families if name.startswith(("picoworkers_", "http_client"))}
    assert {re.sub(r"_(bucket|count)$", "", name) for name in shown} == ours


def test_the_panels_and_alerts_have_names_of_their_own() -> None:
    for names in (
        [one["title"] for one in panels()],
        [one["id"] for one in panels()],
        [one["alert"] for one in rules()],
    ):
        assert len(set(names)) == len(names)


def test_the_table_of_the_docs_names_each_metric_with_its_unit_and_attributes(exported: Exported) -> None:
    rows = re.findall(r"^\| `([\w.]+)` \| [\w ]+ \| `([^`]*)` \|([^|]*)\|", DOCS, re.MULTILINE)
    table = {name: (unit, set(re.findall(r"`([\w.]+)`", attributes))) for name, unit, attributes in rows}
    assert table == exported.metrics
