"""How each defect of docs/defects.md comes into a run that had none."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.workflow.run_folder import RunFolder

    Seed = Callable[[RunFolder], object]

SEEDS: dict[str, Seed] = {}
"""By the name that the table has for the defect."""

CONTRACT, ARTIFACTS_PLANNED, MANIFEST = "export/contract.json", "export/artifact-manifest.json", "export/manifest.json"


def _seed(name: str) -> Callable[[Seed], Seed]:
    def added(seed: Seed) -> Seed:
        assert name not in SEEDS, f"{name} is seeded twice"
        SEEDS[name] = seed
        return seed

    return added


def _put(*path: str | int, value: Any) -> Callable[[Any], None]:
    """A change of one value, far down."""

    def change(document: Any) -> None:
        for part in path[:-1]:
            document = document[part]
        document[path[-1]] = value

    return change


def _drop(*path: str | int) -> Callable[[Any], None]:
    def change(document: Any) -> None:
        for part in path[:-1]:
            document = document[part]
        del document[path[-1]]

    return change


@_seed("source-changed")
def _(run: RunFolder) -> None:
    run.edit("source/requirements.yaml", _put("requirements", 0, "title", value="Something else"))


@_seed("source-malformed")
def _(run: RunFolder) -> None:
    run.make("source/requirements.yaml", _drop("requirements", 0, "service"))


@_seed("contract-missing")
def _(run: RunFolder) -> None:
    run.remove(CONTRACT)


@_seed("contract-cut-off")
def _(run: RunFolder) -> None:
    text = run.path(CONTRACT).read_text("utf-8")
    run.path(CONTRACT).write_text(text[: len(text) // 2], "utf-8")


@_seed("contract-edited")
def _(run: RunFolder) -> None:
    run.edit(CONTRACT, _put("gaps", 0, "title", value="Something else"))


@_seed("export-unlisted")
def _(run: RunFolder) -> None:
    run.write("export/more.json", {})


@_seed("checksum-of-another-algorithm")
def _(run: RunFolder) -> None:
    run.edit(MANIFEST, _put("files", "contract.json", value="md5:" + "0" * 32))


@_seed("contract-without-routing")
def _(run: RunFolder) -> None:
    run.make(CONTRACT, _drop("routing"))


@_seed("contract-of-another-source")
def _(run: RunFolder) -> None:
    run.edit(CONTRACT, _put("source_checksum", value="sha256:" + "0" * 64))
    run.seal(leaving="source_checksum")


@_seed("stage-off-the-record")
def _(run: RunFolder) -> None:
    run.edit("provenance.json", _drop("stages", 0))


@_seed("gap-without-artifact")
def _(run: RunFolder) -> None:
    run.make(ARTIFACTS_PLANNED, _drop("artifacts", 0))


@_seed("gap-not-exported")
def _(run: RunFolder) -> None:
    gap = run.read(CONTRACT)["gaps"][0]["id"]
    run.edit(CONTRACT, _drop("gaps", 0))
    run.make(ARTIFACTS_PLANNED, lambda all_of: all_of.update(artifacts=_without(all_of["artifacts"], "gap", gap)))


@_seed("parameter-not-declared")
def _(run: RunFolder) -> None:
    run.make(CONTRACT, lambda contract: contract["gaps"][0]["parameters"].append("no_such_parameter"))


@_seed("parameter-without-value")
def _(run: RunFolder) -> None:
    run.make(CONTRACT, _put("parameters", 0, "value", value="${latency}"))


@_seed("parameter-of-another-value")
def _(run: RunFolder) -> None:
    run.make(CONTRACT, _put("parameters", 0, "value", value=987))


@_seed("service-without-owner")
def _(run: RunFolder) -> None:
    run.make(CONTRACT, _drop("services", 0, "owner"))


@_seed("service-not-declared")
def _(run: RunFolder) -> None:
    run.make(CONTRACT, lambda contract: contract["services"].remove(_service_of_first_gap(contract)))


@_seed("feature-dropped")
def _(run: RunFolder) -> None:
    run.make("features.json", _drop("features", 0), "S4")


@_seed("feature-without-gap")
def _(run: RunFolder) -> None:
    orphan = run.read("features.json")["features"][0] | {"id": "gap-nobody-has", "gap": "gap-nobody-has"}
    run.make("features.json", lambda content: content["features"].append(orphan), "S4")


@_seed("features-of-another-contract")
def _(run: RunFolder) -> None:
    run.edit(CONTRACT, _put("gaps", 0, "title", value="Something else"))
    run.edit(MANIFEST, _put("files", "contract.json", value=run.checksum(CONTRACT)))
    run.edit("provenance.json", lambda all_of: _record(all_of["stages"], run, CONTRACT, MANIFEST))


@_seed("feature-of-another-type")
def _(run: RunFolder) -> None:
    def change(content: Any) -> None:
        feature = content["features"][0]
        feature["type"] = "slo" if feature["type"] != "slo" else "panel"

    run.make("features.json", change, "S4")


@_seed("feature-of-another-artifact")
def _(run: RunFolder) -> None:
    run.make("features.json", _put("features", 0, "artifact", value="artifacts/panels/other.json"), "S4")


@_seed("feature-parameter-not-declared")
def _(run: RunFolder) -> None:
    run.make("features.json", _put("features", 0, "parameters", value=["no_such_parameter"]), "S4")


@_seed("features-edited")
def _(run: RunFolder) -> None:
    run.edit("features.json", _put("features", 0, "title", value="Something else"))


@_seed("route-without-cause")
def _(run: RunFolder) -> None:
    def change(content: Any) -> None:
        content["selected_path"] = "prime" if content["selected_path"] == "artisan" else "artisan"

    run.make("routing.json", change, "S5")


@_seed("route-by-another-weight")
def _(run: RunFolder) -> None:
    def change(content: Any) -> None:
        first = next(iter(content["scores"]))
        content["scores"][first] += 1
        content["complexity_score"] += 1

    run.make("routing.json", change, "S5")


@_seed("handoff-of-other-files")
def _(run: RunFolder) -> None:
    def change(handoff: Any) -> None:
        files = handoff["inputs"]["files"]
        files[next(iter(files))] = "sha256:" + "0" * 64

    run.edit("handoffs/design.json", change)
    run.edit("provenance.json", lambda all_of: _record(all_of["stages"], run, "handoffs/design.json"))


@_seed("design-missing")
def _(run: RunFolder) -> None:
    run.remove(f"design/{run.read('features.json')['features'][0]['id']}.json")
    run.seal("S6")


@_seed("design-too-shallow")
def _(run: RunFolder) -> None:
    def change(design: Any) -> None:
        design["depth"] = "brief" if design["depth"] != "brief" else "comprehensive"

    run.make(_first_design(run), change, "S6")


@_seed("design-too-large")
def _(run: RunFolder) -> None:
    run.make(_first_design(run), _put("planned_lines", value=100_000), "S6")


@_seed("design-without-parameters")
def _(run: RunFolder) -> None:
    run.make(_first_design(run), _put("parameters", value=[]), "S6")


@_seed("artifact-edited")
def _(run: RunFolder) -> None:
    run.path(_first_artifact(run)).write_text("{}\n", "utf-8")


@_seed("artifact-missing")
def _(run: RunFolder) -> None:
    run.remove(_first_artifact(run))


@_seed("artifact-not-planned")
def _(run: RunFolder) -> None:
    run.path("artifacts/panels/extra.json").write_text("{}\n", "utf-8")


@_seed("artifact-in-another-place")
def _(run: RunFolder) -> None:
    old = _first_artifact(run)
    new = f"artifacts/moved.{old.rpartition('.')[2]}"
    run.path(old).rename(run.path(new))
    run.edit("artifacts.json", _put("artifacts", 0, "path", value=new))
    run.edit("provenance.json", lambda all_of: _move(all_of["stages"], old, new))
    run.seal("S7")


@_seed("test-failed")
def _(run: RunFolder) -> None:
    def change(results: Any) -> None:
        results["tests"][0].update(outcome="failed", message="no threshold in it")
        results["passed"] -= 1
        results["failed"] += 1

    run.make("test-results.json", change, "S8")


@_seed("tests-of-other-artifacts")
def _(run: RunFolder) -> None:
    run.edit("test-results.json", _put("artifacts_checksum", value="sha256:" + "0" * 64))
    run.edit("provenance.json", lambda all_of: _record(all_of["stages"], run, "test-results.json"))


@_seed("artifact-without-test")
def _(run: RunFolder) -> None:
    def change(results: Any) -> None:
        path = results["tests"][0]["artifact"]
        results["tests"] = _without(results["tests"], "artifact", path)
        results["artifacts_tested"] = [each for each in results["artifacts_tested"] if each != path]
        results["passed"] = len(results["tests"])
        results.pop("coverage_percent")

    run.make("test-results.json", change, "S8")


@_seed("answer-not-completed")
def _(run: RunFolder) -> None:
    run.make("handoffs/test.answer.json", _put("handoff", "status", value="failed"), "S8")


@_seed("review-of-other-lines")
def _(run: RunFolder) -> None:
    run.make("review.json", lambda review: review["reviews"][0].update(lines=review["reviews"][0]["lines"] + 1), "S9")


@_seed("artifact-too-large")
def _(run: RunFolder) -> None:
    run.edit("artifacts.json", _put("artifacts", 0, "lines", value=100_000))
    run.make("review.json", _put("reviews", 0, "lines", value=100_000), "S7")


@_seed("changes-requested")
def _(run: RunFolder) -> None:
    run.make("review.json", _put("verdict", value="changes_requested"), "S9")


@_seed("final-set-short")
def _(run: RunFolder) -> None:
    run.make("final.json", lambda final: final["artifacts"].pop(_first_artifact(run)), "S10")


@_seed("final-partial")
def _(run: RunFolder) -> None:
    run.make("final.json", _put("finalize_status", value="partial"), "S10")


@_seed("requirement-not-covered")
def _(run: RunFolder) -> None:
    def change(final: Any) -> None:
        final["covered_count"] -= 1
        final["coverage_percent"] = 100 * final["covered_count"] / final["requirement_count"]

    run.make("final.json", change, "S10")


@_seed("final-edited")
def _(run: RunFolder) -> None:
    run.edit("final.json", _put("note", value="looks good to me"))


@_seed("file-off-the-record")
def _(run: RunFolder) -> None:
    run.path("notes.txt").write_text("who has put this here?\n", "utf-8")


@_seed("run-broken-off")
def _(run: RunFolder) -> None:
    """The process was killed in S9, and left nothing of S9 and S10."""
    for name in ("handoffs/review.json", "handoffs/review.answer.json", "review.json", "final.json"):
        run.remove(name)
    run.edit("provenance.json", lambda all_of: all_of.update(stages=all_of["stages"][:8]))


def _without(items: list[Any], key: str, value: object) -> list[Any]:
    return [each for each in items if each[key] != value]


def _service_of_first_gap(contract: Any) -> Any:
    return next(each for each in contract["services"] if each["id"] == contract["gaps"][0]["service"])


def _first_design(run: RunFolder) -> str:
    return f"design/{run.read('features.json')['features'][0]['id']}.json"


def _first_artifact(run: RunFolder) -> str:
    path = run.read("artifacts.json")["artifacts"][0]["path"]
    assert isinstance(path, str)
    return path


def _record(stages: list[Any], run: RunFolder, *names: str) -> None:
    """Put the checksums of files on record as they are, wherever they stand."""
    for stage in stages:
        for side in ("inputs", "outputs"):
            stage[side].update({name: run.checksum(name) for name in names if name in stage[side]})


def _move(stages: list[Any], old: str, new: str) -> None:
    for stage in stages:
        for side in ("inputs", "outputs"):
            if old in stage[side]:
                stage[side][new] = stage[side].pop(old)
