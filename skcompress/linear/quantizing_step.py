"""QuantizeStep: put the weights on a grid, on the loss of a fitted model."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from sklearn.utils import check_random_state

from ..core.gram import DENSE_LIMIT
from ..core.grids import Grid
from ..core.linalg import Floats
from ..core.options import QuantizeOptions
from ..core.quadratic import QuadraticModel
from ..core.quantizing import Quantization, quantize_widths, quantize_with
from .column_names import Columns
from .fitting import require_random_state
from .integer_inputs import accumulator, check_input_bits, codes_of, output_scale
from .problem import LinearProblem
from .rounds import ROUNDS, compress_in_rounds, damped, lowest
from .row_warnings import warn_of_changed
from .state import Attributes, InputGrid, State
from .view import like_coef


@dataclass(frozen=True, eq=False)
class QuantizeStep:
    """The options of `QuantizedRegressor`, which says what they mean, and what they do to a state."""

    bits: int = 8
    grid: str = "symmetric"
    rounding: Any = "lattice"
    scale: str | float = "loss"
    granularity: str = "auto"
    input_bits: int | None = None
    random_state: Any = None

    def _options(self, **drawn: Any) -> QuantizeOptions:
        """Return what `quantize` takes, with what is not the same for an estimator: units and a generator."""
        return QuantizeOptions(self.bits, self.grid, self.rounding, self.scale, self.granularity, **drawn)

    def check(self, inner: Any) -> None:
        """Raise ValueError for options out of range."""
        self._options()
        require_random_state(self.random_state)
        if self.input_bits is not None:
            check_input_bits(self.input_bits, grid=self.grid, granularity=self.granularity)

    def apply(self, problem: LinearProblem, start: State, columns: Columns) -> tuple[State, Attributes]:
        """Return the state with the weights on a grid, and the grid in the shapes of the model.

        Parameters
        ----------
        problem : LinearProblem
            The true loss.
        start : State
            What earlier steps have done.
        columns : Columns
            Names of the features, for warnings.

        Raises
        ------
        ValueError
            If integer sums could overflow.
        """
        random_state = check_random_state(self.random_state)
        inputs = self._input_grid(problem, np.where(start.support, start.centre, 0.0))
        options = self._options(units=None if inputs is None else 1.0 / inputs.step, random_state=random_state)

        def step(quadratic: QuadraticModel, earlier: Quantization | None) -> Quantization:
            return quantize_with(quadratic, options)

        # Where the curvature is too large to be made, the minimum that a second round needs takes most of the time.
        large = np.count_nonzero((problem.weights != 0).any(axis=0)) > DENSE_LIMIT
        solutions = [compress_in_rounds(problem, start, step, ROUNDS if start.at_minimum and not large else 1)]
        begin = damped(problem, start)
        if begin is not None:
            solutions.append(compress_in_rounds(problem, start, step, begin=begin))
        solution = lowest(problem, solutions)
        warn_of_changed(problem, solution.quadratic, solution.result.weights, columns)
        grid = solution.result.grid
        state = self._on_grid(start, solution.result, solution.intercept, inputs)
        if inputs is None:
            return state, shown(grid, problem.leaf.estimator)
        accumulator(codes_of(state.weights, inputs, output_scale(grid, len(state.weights))), inputs.top)
        codes = {"input_scale_": inputs.step, "input_offset_": inputs.offset}
        return state, {**shown(grid, problem.leaf.estimator), **codes}

    def sweep(self, problem: LinearProblem, start: State, columns: Columns, widths: Sequence[Any]) -> Iterator[State]:
        """Yield the state after quantizing to each of these widths; they share what does not depend on the width."""
        if not problem.exact or self.input_bits is not None:
            for width in widths:
                yield self.at(width).apply(problem, start, columns)[0]
            return
        quadratic = problem.quadratic(start.centre, start.centre_intercept, start.support, signs=start.signs)
        options = self._options(random_state=check_random_state(self.random_state))
        for result in quantize_widths(quadratic, widths, options):
            intercept = problem.best_intercept(result.weights)
            yield self._on_grid(start, result, intercept, None)

    def at(self, bits: Any) -> QuantizeStep:
        """Return the step with this many bits."""
        return replace(self, bits=bits)

    def _on_grid(self, start: State, found: Quantization, intercept: Floats, inputs: InputGrid | None) -> State:
        return replace(
            start,
            weights=found.weights,
            intercept=intercept,
            grid=found.grid,
            rounding=self.rounding,
            inputs=inputs,
            leveled=True,
        )

    def _input_grid(self, problem: LinearProblem, weights: Floats) -> InputGrid | None:
        if self.input_bits is None:
            return None
        # A row of weight zero is no row.
        rows = problem.X if problem.row_weight.all() else problem.X[problem.row_weight > 0]
        return InputGrid.of(rows, int(self.input_bits), weights)


def shown(grid: Grid, leaf: Any) -> Attributes:
    """Return a grid as the attributes of a wrapper, in the shapes of the leaf's coef_."""

    def shared(array: Any) -> Any:
        if np.ndim(array) == 0:
            return array[()]
        row = like_coef(leaf, array)
        return row[0] if len(row) == 1 < leaf.coef_.shape[-1] and row.ndim == 1 else row

    return {
        "scale_": shared(grid.scale),
        "zero_point_": 0 if grid.zero_point is None else shared(grid.zero_point),
        "levels_": grid.levels,
    }
