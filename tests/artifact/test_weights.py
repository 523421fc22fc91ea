import numpy as np
import pytest

from skcompress.artifact import Weights


def test_affine_codes_decode_by_the_documented_formula():
    weights = Weights.from_codes([[0, 3, 15], [7, 8, 9]], [[0.1], [0.3]], [[3], [8]], bits=4)
    assert np.array_equal(weights.decode(), (np.array([[0, 3, 15], [7, 8, 9]]) - [[3], [8]]) * [[0.1], [0.3]])
    assert np.array_equal(weights.nonzero(), [[1, 0, 1], [1, 0, 1]])
    assert weights.codes.dtype == np.int8


def test_levels_are_found_from_the_zero_point_up():
    weights = Weights.from_codes([[-1, 0, 1]], 2.0, -1, [-4.0, 0.0, 0.5])
    assert np.array_equal(weights.decode(), [[-8.0, 0.0, 1.0]])


@pytest.mark.parametrize("scale", [0.5, [0.5, 0.25], [[0.5, 1.0, 2.0]], [[0.5, 1, 2], [1, 2, 3]]])
def test_taking_terms_commutes_with_decoding(scale):
    weights = Weights.from_codes([[1, 2, 3], [4, 5, 6]], scale)
    assert np.array_equal(weights.take(np.array([2, 0])).decode(), weights.decode()[:, [2, 0]])


def test_minus_zero_becomes_zero():
    assert not np.signbit(Weights.from_values([[-0.0]]).decode()).any()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([[0.5]], 1.0), "integers"),
        (([[1, 2]], [1.0, 2.0, 3.0]), "scale"),
        (([[1, 2]], 1.0, [[1], [2]]), "zero_point"),
        (([[1, 5]], 1.0, 0, [1.0, 2.0]), "levels"),
        (([[-(2**63), 1]], 1.0, 2**63 - 1), "must fit into 64 bits"),
    ],
)
def test_what_does_not_fit_is_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        Weights.from_codes(*arguments)


def test_arrays_cannot_be_written_to():
    weights = Weights.from_codes([[1, 2]], 1.0)
    with pytest.raises(ValueError, match="read-only"):
        weights.codes[0, 0] = 3
