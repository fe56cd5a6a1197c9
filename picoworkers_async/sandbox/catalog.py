"""The sandbox's zones, categories and lists, as the API documents show them."""

from __future__ import annotations

from ..editions import Edition

_COUNTRIES = {
    "africa1": ("Africa", "ao bw cg eg et gh ke ly ma mz ng rw za tz ug zw tn"),
    "asia1": ("Asia", "bd cn in id jp kr lk my pk ph sg th vn"),
    "europe1": ("Europe West", "at be ch de dk es fi fr uk ie is it lu mc no pt se sm"),
    "europe2": ("Europe East", "al am by ba bg cy cz ee gr hu hr lt mk mt rs ru si sk tr ua pl ro"),
    "int": ("International", "al pk bd id in ph ro eg pl my np vn cn lt ma us ca uk au de fr lk si ve co"),
    "latin": ("Latin America", "ar bo br cl co ec fk gf gy mx py pe sr uy ve"),
    "muslim": ("Muslim countries", "dz id in pk bd ma ng eg ir tr tn"),
    "west1": ("USA & Western", "us uk ca au nz"),
    "arab1": ("Arab Countries", "ae bh kw sa ye qa om jo sy lb ps iq eg ma ly tn dz sd mr so dj km"),
}

_PRICES = {
    "0500": ("Sign up", "Email submit only", "0.080 0.240 0.200 0.160 0.100"),
    "0501": ("Sign up", "Simple Sign up", "0.080 0.240 0.200 0.160 0.100"),
    "2004": ("Video", "Play a video", "0.050 0.150 0.130 0.100 0.060"),
    "9002": ("Surveys / Offers", "Up to 50 questions", "0.500 1.200 1.000 0.800 0.600"),
    "9900": ("Other", "Describe and set acceptable price", "0.050 0.150 0.130 0.100 0.060"),
}
_PRICED = ("int", "west1", "europe1", "europe2")

LISTS: list[dict[str, object]] = [
    {"id": 12870, "name": "Successfully Completed", "workers": 147},
    {"id": 14118, "name": "Awesome workers", "workers": 102},
    {"id": 14256, "name": "Workers from Brazil", "workers": 53},
    {"id": 16329, "name": "My special list", "workers": 18},
    {"id": 17001, "name": "Too few", "workers": 4},
]


def zones(edition: Edition) -> list[dict[str, object]]:
    """The zones of the edition, in the form of get-zones."""
    return [
        {"id": zone, "zone": name, "excludable_countries": countries.split()}
        for zone, (name, countries) in _COUNTRIES.items()
        if zone in edition.zones
    ]


def categories(edition: Edition) -> list[dict[str, object]]:
    """The categories, with the least pay by zone, in the form of get-categories."""
    rows: list[dict[str, object]] = []
    for category, (group, name, prices) in _PRICES.items():
        by_place = prices.split()
        least = {
            zone: by_place[_PRICED.index(zone)] if zone in _PRICED else by_place[-1]
            for zone in _COUNTRIES
            if zone in edition.zones
        }
        rows.append({"id": category, "category": group, "subcategory": name, "min_task_value": least})
    return rows
