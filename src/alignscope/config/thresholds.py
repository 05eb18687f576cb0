"""The thresholds of the hypotheses."""

from pydantic import Field

from alignscope._util.validation import StrictModel


class HypothesisThresholds(StrictModel):
    """Thresholds of the hypotheses, as fractions; docs/claims.md explains each."""

    crucial: float = Field(0.02, ge=0, le=1, description="cost of the lowest window on targets")
    harmless: float = Field(0.015, ge=0, le=1, description="cost of the highest on targets")
    language: float = Field(0.02, ge=0, le=1, description="that cost minus the cost on domains")
    stable: float = Field(0.1, ge=0, le=10, description="log change of upper minus lower blocks")
    related: float = Field(0.0, ge=0, le=1, description="correlation of similarity and gap")
