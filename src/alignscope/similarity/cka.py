"""Centred kernel alignment with a linear kernel (Kornblith et al. 2019), biased and debiased.

Rows are examples, columns are features, and row i of both sides is the same example. Everything is
computed from products of features in float64, never from an n × n kernel matrix.
"""

import math

import torch
from scipy.stats import t as student
from torch import Tensor

from alignscope.errors import SimilarityError
from alignscope.similarity.sides import CONSTANT, Array, centred_sides


def debiased_cka(left: Array, right: Array) -> float:
    """Return linear CKA with the unbiased estimator of HSIC (Song et al. 2012).

    >>> x = torch.randn(100, 8)
    >>> round(debiased_cka(x, 3 * x + 1), 6)
    1.0

    ``left`` (n, d) and ``right`` (n, e). About 0 for independent sides whatever n and d, where it
    may well be slightly negative (Nguyen et al. 2021); it is reported as it is.

    Raises:
        SimilarityError: if the sides do not have the same n of at least 4 rows, are not finite,
            or one of them does not vary.
    """
    x, y = centred_sides(left, right, "CKA", least=4)
    return _ratio(_unbiased(x, y), _unbiased(x, x), _unbiased(y, y))


def biased_cka(left: Array, right: Array) -> float:
    """Return linear CKA as of Kornblith et al. 2019, equation 2.

    It is far above 0 for independent sides unless n is much larger than d: read it beside
    `debiased_cka` and a shuffled null, never alone.

    Raises:
        SimilarityError: as `debiased_cka` does.
    """
    x, y = centred_sides(left, right, "CKA", least=4)
    return _ratio(_cross(x, y), _cross(x, x), _cross(y, y))


def rbf_cka(left: Array, right: Array) -> float:
    """Return biased CKA with Gaussian kernels (Kornblith et al. 2019, section 4).

    >>> x = torch.randn(100, 8)
    >>> round(rbf_cka(x, 3 * x + 1), 6)
    1.0

    The kernel is exp(-distance² / (2 sigma²)) with sigma² the median of the squared distances that
    are not zero, as Muller et al. 2021 released it. Biased as `biased_cka` is; n × n memory.

    Raises:
        SimilarityError: as `debiased_cka` does.
    """
    k, m = (_centred_kernel(side) for side in centred_sides(left, right, "CKA", least=4))
    return _ratio(float((k * m).sum()), float((k * k).sum()), float((m * m).sum()))


def _centred_kernel(side: Tensor) -> Tensor:
    squares = side.square().sum(1)
    distances = (squares[:, None] + squares - 2 * side @ side.T).clamp(min=0).fill_diagonal_(0)
    # Two equal rows are at a distance of rounding: that is zero as well.
    apart = distances[distances > 1e-12 * squares.max()]
    median = (apart.median() - (-apart).median()) / 2  # of an even number: between the middle two
    kernel = (-distances / (2 * median)).exp()
    return kernel - kernel.mean(0) - kernel.mean(1, keepdim=True) + kernel.mean()


def debiased_interval(left: Array, right: Array, level: float = 0.95) -> tuple[float, float]:
    """Return an interval around debiased CKA for other sentences of the same kind.

    >>> x = torch.randn(100, 8)
    >>> low, high = debiased_interval(x, x + torch.randn(100, 8))
    >>> low < debiased_cka(x, x + torch.randn(100, 8)) < high
    True

    The estimate plus and minus Student's quantile times the delete-one jackknife's standard error
    (Efron & Stein 1981), which is computed for all rows at once. It is no bootstrap on purpose:
    that draws some rows twice, and a row beside its double is no pair of different sentences.

    Raises:
        SimilarityError: as `debiased_cka` does, and if there are fewer than 5 rows.
    """
    x, y = centred_sides(left, right, "CKA's interval", least=5)
    estimate = _ratio(_unbiased(x, y), _unbiased(x, x), _unbiased(y, y))
    between, own, other = (_unbiased_without_each(*pair) for pair in ((x, y), (x, x), (y, y)))
    if bool((own <= 0).any() or (other <= 0).any()):
        raise SimilarityError("CKA's interval is not defined where all variation is in one row")
    without = between / (own * other).sqrt()
    n = len(without)
    error = math.sqrt((n - 1) / n * float((without - without.mean()).square().sum()))
    reach = float(student.ppf((1 + level) / 2, n - 1)) * error
    return estimate - reach, estimate + reach


def null_band(left: Array, right: Array, level: float = 0.95) -> tuple[float, float]:
    """Return where ``level`` of debiased CKA lies when rows are paired at random.

    >>> x, y = torch.randn(100, 8), torch.randn(100, 8)
    >>> low, high = null_band(x, y)
    >>> low < 0 < high
    True

    Over all n! pairings the mean is exactly 0 and the variance exactly 2 / (n (n - 3)), whatever
    the sides are: the unbiased HSIC is a product of matrices without diagonal whose rows sum to 0,
    and of such a matrix every sum over pairs of entries is a multiple of its sum of squares. The
    shape is that of the limit of many rows, the sum over i and j of a_i b_j (z_ij² - 1) with a and
    b the variances of the sides' principal components and z standard normal: skewed where few
    components have most of the variance. It is drawn, always alike.

    Raises:
        SimilarityError: as `debiased_cka` does.
    """
    x, y = centred_sides(left, right, "CKA", least=4)
    draws = _limit(_spectrum(x), _spectrum(y)) * math.sqrt(2 / (len(x) * (len(x) - 3)))
    ends = torch.tensor([(1 - level) / 2, (1 + level) / 2], dtype=draws.dtype)
    low, high = torch.quantile(draws, ends).tolist()
    return low, high


def _spectrum(side: Tensor) -> Tensor:
    """The largest variances of principal components, scaled so that all squares sum to 1."""
    products = side.T @ side if side.shape[1] <= len(side) else side @ side.T
    variances: Tensor = torch.linalg.eigvalsh(products / products.norm())
    return variances.flip(0)[:_COMPONENTS].cpu()


def _limit(left: Tensor, right: Tensor) -> Tensor:
    """Draws of mean 0 and variance 1; what the smaller components add is as good as normal."""
    generator = torch.Generator().manual_seed(1)
    shape = (_NULL_DRAWS, len(left), len(right))
    squares = torch.randn(shape, generator=generator, dtype=left.dtype).square() - 1
    rest = max(0.0, 1 - float(left.square().sum() * right.square().sum()))
    others = torch.randn(_NULL_DRAWS, generator=generator, dtype=left.dtype)
    return (squares @ right @ left) / math.sqrt(2) + math.sqrt(rest) * others


_COMPONENTS, _NULL_DRAWS = 12, 4000


def _cross(x: Tensor, y: Tensor) -> float:
    return float((x.T @ y).square().sum())


def _unbiased(x: Tensor, y: Tensor) -> float:
    """HSIC, up to a factor that cancels, from kernels without their diagonals."""
    product = x.T @ y
    a, b, r, q = _rows(x, y)
    trace = product.square().sum() - a @ b
    return float(_assemble(len(x), trace, r.sum(), q.sum(), r @ q))


def _unbiased_without_each(x: Tensor, y: Tensor) -> Tensor:
    """`_unbiased` of all rows but row i, for every i, (n,); centring makes no difference to it."""
    product = x.T @ y
    a, b, r, q = _rows(x, y)
    # What row i has to do with all others: the sum over j of K_ij L_ij, r_j L_ij and K_ij q_j.
    both = ((x @ product) * y).sum(1) - a * b
    left, right = y @ (r @ y) - r * b, x @ (q @ x) - q * a
    trace = product.square().sum() - a @ b - 2 * both
    middle = r @ q - r * q - left - right + both
    return _assemble(len(x) - 1, trace, r.sum() - 2 * r, q.sum() - 2 * q, middle)


def _rows(x: Tensor, y: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """The diagonals of both kernels, and their rows' sums without them."""
    a, b = x.square().sum(1), y.square().sum(1)
    return a, b, x @ x.sum(0) - a, y @ y.sum(0) - b


def _assemble(n: int, trace: Tensor, whole_x: Tensor, whole_y: Tensor, middle: Tensor) -> Tensor:
    """Song et al. 2012, equation 4."""
    return trace + whole_x * whole_y / ((n - 1) * (n - 2)) - 2 * middle / (n - 2)


def _ratio(between: float, left: float, right: float) -> float:
    if left <= 0 or right <= 0:
        raise SimilarityError(CONSTANT.format("CKA"))
    return between / math.sqrt(left * right)
