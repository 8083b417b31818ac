"""What a catalogue must hold beyond its shape: references, units, spans, each with its line."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import date

from backend.kernel import areas
from backend.kernel.yaml_file import FileFault, Step, YamlFile
from backend.policies.benefit_shapes import CoversShape, DeductibleShape, LayerShape, RowShape
from backend.policies.book import Vocabulary
from backend.policies.policy import Policy
from backend.policies.policy_files import PolicyFiles
from backend.policies.shapes import EntitlementShape, ServiceShape, Unit
from backend.policies.soundness import check_soundness

_DEDUCTIBLE_UNITS: Mapping[str, Unit] = {
    "yearly": "yuan",
    "first_bill": "yuan",
    "income_share": "rate",
    "base_share": "rate",
}


def check_policy(policy: Policy, files: PolicyFiles, vocabulary: Vocabulary) -> list[FileFault]:
    """Every fault of one policy, in the order of its files."""
    check = _Check(policy, files, vocabulary)
    faults = [*check.document(), *check.references(), *check.benefits()]
    return faults or list(check_soundness(policy, files.benefits))


class _Check:
    def __init__(self, policy: Policy, files: PolicyFiles, vocabulary: Vocabulary) -> None:
        self.policy = policy
        self.files = files
        self.vocabulary = vocabulary

    # -- the document and what all files refer to --------------------------------------------

    def document(self) -> Iterator[FileFault]:
        document, file = self.policy.document, self.files.document
        if document.id != self.files.folder:
            yield file.fault(f"id 要和文件夹同名：{self.files.folder}", "id")
        if (document.area is None) != (document.level == "template"):
            yield file.fault("只有模板（template）不写 area", "area")
        if document.area is not None and not areas.is_area(document.area.code):
            yield file.fault(f"没有这个地区代码：{document.area.code}", "area", "code")
        span = document.in_force
        if span.from_ and span.to and span.to < span.from_:
            yield file.fault("失效日期早于施行日期", "in_force", "to")
        if document.validity.dates != "unconfirmed" and span.from_ is None:
            yield file.fault("没有写施行日期，就要标 unconfirmed", "in_force", "from")
        known = self.vocabulary.categories
        yield from self._codes(document.beneficiaries, known, file, "beneficiaries")
        yield from self._reading(span.reading, file, "in_force", "reading")
        for place, notice in enumerate(document.notices):
            yield from self._codes(notice.categories, known, file, "notices", place, "categories")
            yield from self._clause(notice.clause, file, "notices", place, "clause")

    def references(self) -> Iterator[FileFault]:
        files = self.files
        for place, reading in enumerate(self.policy.readings.values()):
            yield from self._clause(reading.clause, files.readings, place, "clause")
        for place, parameter in enumerate(self.policy.parameters.values()):
            yield from self._clause(parameter.shape.clause, files.parameters, place, "clause")
            yield from self._reading(parameter.shape.reading, files.parameters, place, "reading")
        yield from self._items(files.entitlements, self.policy.entitlements)
        yield from self._items(files.services, self.policy.services)
        yield from self._entitlements()
        for place, service in enumerate(self.policy.services):
            if service.deadline is not None:
                yield from self._parameter(
                    service.deadline, None, files.services, place, "deadline"
                )

    def _items(
        self, file: YamlFile, items: Sequence[EntitlementShape | ServiceShape]
    ) -> Iterator[FileFault]:
        seen: set[str] = set()
        for place, item in enumerate(items):
            if item.code in seen:
                yield file.fault(f"“{item.code}”写了两次", place, "code")
            seen.add(item.code)
            yield from self._clause(item.clause, file, place, "clause")
            yield from self._reading(item.reading, file, place, "reading")
            for name in item.parameters:
                yield from self._parameter(name, None, file, place, "parameters")

    def _entitlements(self) -> Iterator[FileFault]:
        file, words = self.files.entitlements, self.vocabulary
        for place, entitlement in enumerate(self.policy.entitlements):
            if entitlement.categories != "all":
                codes = entitlement.categories
                yield from self._codes(codes, words.categories, file, place, "categories")
            conditions = entitlement.conditions
            if entitlement.amount is not None:
                yield from self._parameter(entitlement.amount, None, file, place, "amount")
            where: tuple[Step, ...] = (place, "conditions")
            if (conditions.diagnoses or conditions.person_decides) and not conditions.note:
                yield file.fault("有 diagnoses 或 person_decides，就要在 note 里用中文写明", *where)
            for age in (conditions.age_from, conditions.age_to):
                if age is not None:
                    yield from self._parameter(age, "age", file, *where)
            yield from self._codes(conditions.settings or [], words.settings, file, *where)
            yield from self._codes(conditions.flags, words.flags, file, *where)
            yield from self._enrolment(entitlement, place, "enrolment")
            yield from self._every(entitlement, place, "every")
            yield from self._instead(entitlement, place, "instead_of")

    def _every(self, entitlement: EntitlementShape, *path: Step) -> Iterator[FileFault]:
        file, code = self.files.entitlements, entitlement.every
        if code is None:
            return
        if entitlement.kind == "premium_aid":
            yield file.fault("资助参保每年一次，不写 every", *path)
        yield from self._parameter(code, "years", file, *path)
        parameter = self.policy.parameters.get(code)
        if parameter is not None and any(value.value == 0 for value in parameter.values):
            yield file.fault(f"{code} 最少是 1 年", *path)

    def _instead(self, entitlement: EntitlementShape, *path: Step) -> Iterator[FileFault]:
        file, code = self.files.entitlements, entitlement.instead_of
        if code is None:
            return
        other = {one.code: one for one in self.policy.entitlements}.get(code)
        if other is None:
            yield file.fault(f"没有这一项待遇：{code}", *path)
        elif "premium_aid" in (entitlement.kind, other.kind):
            yield file.fault("资助参保不写 instead_of，也不能被代替", *path)
        elif other.instead_of is not None:
            yield file.fault(f"{code} 自己也写了 instead_of，只能代替不写的", *path)

    def _enrolment(self, entitlement: EntitlementShape, *path: Step) -> Iterator[FileFault]:
        file, rule = self.files.entitlements, entitlement.enrolment
        if rule is None:
            return
        if entitlement.kind != "premium_aid":
            yield file.fault("enrolment 只写在 kind 是 premium_aid 的待遇里", *path)
        yield from self._codes(rule.taper, self.vocabulary.categories, file, *path, "taper")
        if rule.begins_after is not None:
            yield from self._parameter(rule.begins_after, None, file, *path, "begins_after")
            begins = self.policy.parameters.get(rule.begins_after)
            if begins is not None and begins.shape.unit not in ("days", "months"):
                reason = f"{rule.begins_after} 的单位要是 days 或 months"
                yield file.fault(reason, *path, "begins_after")

    # -- the benefits ------------------------------------------------------------------------

    def benefits(self) -> Iterator[FileFault]:
        benefits, file = self.policy.benefits, self.files.benefits
        identities = benefits.identities
        yield from self._clause(identities.clause, file, "identities", "clause")
        yield from self._reading(identities.reading, file, "identities", "reading")
        settings = self.vocabulary.settings
        yield from self._codes(
            identities.stay_settings, settings, file, "identities", "stay_settings"
        )
        if identities.read_as_stays is not None:
            at: tuple[Step, ...] = ("identities", "read_as_stays")
            yield from self._codes(identities.read_as_stays.settings, settings, file, *at)
            yield from self._reading(identities.read_as_stays.reading, file, *at, "reading")
        for place, rule in enumerate(identities.retroactive):
            path: tuple[Step, ...] = ("identities", "retroactive", place)
            yield from self._codes(rule.categories, self.vocabulary.categories, file, *path)
            yield from self._parameter(rule.months, "months", file, *path, "months")
            yield from self._clause(rule.clause, file, *path, "clause")
            yield from self._reading(rule.reading, file, *path, "reading")
        order = list(self.vocabulary.layers)
        names = [layer.layer for layer in benefits.layers]
        yield from self._codes([*names, *benefits.inputs], self.vocabulary.layers, file, "layers")
        if set(names) <= set(order) and names != sorted(set(names), key=order.index):
            yield file.fault("各层要按支付的先后写，每层一次", "layers")
        for place, layer in enumerate(benefits.layers):
            yield from self._layer(layer, "layers", place)

    def _layer(self, layer: LayerShape, *path: Step) -> Iterator[FileFault]:
        file = self.files.benefits
        yield from self._clause(layer.clause, file, *path, "clause")
        yield from self._covers(layer.covers, *path, "covers")
        yield from self._reading(layer.choice_reading, file, *path, "choice_reading")
        for reading in layer.readings:
            yield from self._reading(reading, file, *path, "readings")
        for place, pool in enumerate(layer.pools):
            where = (*path, "pools", place)
            yield from self._parameter(pool.limit, "yuan", file, *where, "limit")
            yield from self._covers(pool.covers, *where, "covers")
            yield from self._clause(pool.clause, file, *where, "clause")
            yield from self._reading(pool.reading, file, *where, "reading")
            if pool.shared_with is not None and not self._has_pool(pool.shared_with, pool.code):
                yield file.fault(f"{pool.shared_with} 没有叫 {pool.code} 的限额", *where)
        if layer.reduction is not None:
            where = (*path, "reduction")
            yield from self._parameter(layer.reduction.keeps, "rate", file, *where, "keeps")
            yield from self._clause(layer.reduction.clause, file, *where, "clause")
            yield from self._reading(layer.reduction.reading, file, *where, "reading")
        for place, table in enumerate(layer.tables):
            yield from self._covers(table.covers, *path, "tables", place, "covers")
            for number, row in enumerate(table.rows):
                yield from self._row(row, layer, *path, "tables", place, "rows", number)

    def _has_pool(self, layer: str, code: str) -> bool:
        layers = {shape.layer: shape for shape in self.policy.benefits.layers}
        return layer in layers and any(pool.code == code for pool in layers[layer].pools)

    def _row(self, row: RowShape, layer: LayerShape, *path: Step) -> Iterator[FileFault]:
        file = self.files.benefits
        known = self.vocabulary.categories
        yield from self._codes(row.categories, known, file, *path, "categories")
        yield from self._clause(row.clause, file, *path, "clause")
        yield from self._reading(row.reading, file, *path, "reading")
        if (row.rate is not None) + bool(row.bands) + (row.from_base is not None) != 1:
            yield file.fault("rate、bands、from_base 要写且只写一个", *path)
        if row.otherwise != (not row.categories):
            yield file.fault("otherwise 的行不写类别，其他行要写类别", *path, "categories")
        if row.from_base is not None and layer.needs != "serious_illness_base":
            yield file.fault("from_base 只能用在需要当地大病保险标准的一层", *path, "from_base")
        for name in (row.rate, *(band.rate for band in row.bands)):
            if name is not None:
                yield from self._parameter(name, "rate", file, *path)
        for band in row.bands:
            if band.above is not None:
                yield from self._parameter(band.above, "yuan", file, *path, "bands")
        if row.from_base is not None and row.from_base.plus is not None:
            yield from self._parameter(row.from_base.plus, "points", file, *path, "from_base")
        if row.from_base is not None and row.from_base.at_least is not None:
            yield from self._parameter(row.from_base.at_least, "rate", file, *path, "from_base")
        if row.deductible is not None:
            yield from self._deductible(row.deductible, layer, *path, "deductible")

    def _deductible(
        self, deductible: DeductibleShape, layer: LayerShape, *path: Step
    ) -> Iterator[FileFault]:
        file = self.files.benefits
        unit = _DEDUCTIBLE_UNITS[deductible.kind]
        yield from self._parameter(deductible.value, unit, file, *path, "value")
        if (deductible.kind == "income_share") != (deductible.income is not None):
            yield file.fault("income 只在 income_share 时写，而且一定要写", *path)
        if deductible.income is not None:
            yield from self._parameter(deductible.income, "yuan", file, *path, "income")
        if deductible.kind == "base_share" and layer.needs != "serious_illness_base":
            yield file.fault("base_share 只能用在需要当地大病保险标准的一层", *path, "kind")

    def _covers(self, covers: CoversShape, *path: Step) -> Iterator[FileFault]:
        file, words = self.files.benefits, self.vocabulary
        yield from self._codes(covers.settings or [], words.settings, file, *path, "settings")
        yield from self._codes(covers.flags, words.flags, file, *path, "flags")
        groups = covers.disease_groups or []
        yield from self._codes(groups, words.disease_groups, file, *path, "disease_groups")

    # -- single references -------------------------------------------------------------------

    def _codes(
        self, codes: Collection[str], known: Collection[str], file: YamlFile, *path: Step
    ) -> Iterator[FileFault]:
        for code in codes:
            if code not in known:
                yield file.fault(f"没有这个代码：{code}", *path)
        if len(set(codes)) != len(codes):
            yield file.fault("同一个代码写了两次", *path)

    def _clause(self, anchor: str | None, file: YamlFile, *path: Step) -> Iterator[FileFault]:
        if anchor is not None and anchor not in self.policy.clauses:
            yield file.fault(f"没有这一条：{anchor}", *path)

    def _reading(self, name: str | None, file: YamlFile, *path: Step) -> Iterator[FileFault]:
        if name is not None and name not in self.policy.readings:
            yield file.fault(f"readings.yaml 里没有 {name}", *path)

    def _parameter(
        self, name: str, unit: Unit | None, file: YamlFile, *path: Step
    ) -> Iterator[FileFault]:
        parameter = self.policy.parameters.get(name)
        if parameter is None:
            yield file.fault(f"parameters.yaml 里没有 {name}", *path)
        elif unit is not None and parameter.shape.unit != unit:
            yield file.fault(f"{name} 的单位是 {parameter.shape.unit}，这里要 {unit}", *path)
        elif unit is not None and parameter.on(self.policy.first_day or date.min) is None:
            yield file.fault(f"{name} 在政策开始的那天还没有值", *path)
