"""The sandbox's faults in a few words each, for its page."""

from __future__ import annotations

from .faults import Fault

WHAT_GOES_WRONG = {
    Fault.CUT_BEFORE: "The connection is cut, and nothing is processed.",
    Fault.CUT_AFTER: "It is processed, and the connection cut before the answer.",
    Fault.HALF_ANSWER: "It is processed, and half the answer sent.",
    Fault.HTML_200: "HTML with status 200; processed or not by chance.",
    Fault.HTML_502: "HTML with status 502; processed or not by chance.",
    Fault.HTML_503: "HTML with status 503; not processed.",
    Fault.ERROR_500_BEFORE: "Status 500, not processed.",
    Fault.ERROR_500_AFTER: "Status 500, though processed.",
    Fault.SLOW: "It is processed, and answered late.",
    Fault.RESET_IDLE: "It is answered, then the idle connection is reset.",
    Fault.TOO_MANY: "Status 429, not processed.",
    Fault.CUT_MIDWAY: "Half of a bulk rating is processed, then the connection is cut.",
    Fault.LEFT_OUT: "Half of a bulk rating is left out of its answer.",
    Fault.LATE: "The connection is cut; it is processed a little later.",
    Fault.ANSWER_LATE_504: "Status 504; it is processed a little later.",
    Fault.ERROR_JSON: "It is processed, and answered with an error in JSON.",
}
