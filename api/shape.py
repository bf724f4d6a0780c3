"""The base of every shape of the service: what a body may be, or an answer is."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Shape(BaseModel):
    """A shape. What checks bodies is built when the first one comes: there are a hundred, and serving begins sooner."""

    model_config = ConfigDict(defer_build=True)
