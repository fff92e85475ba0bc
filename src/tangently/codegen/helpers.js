// Real functions that JavaScript's Math lacks. Only the ones that a page uses are written into it.
// Formulas: Abramowitz & Stegun, Handbook of Mathematical Functions (A&S); NIST Digital Library (DLMF).
// Each function begins in the first column and ends with a brace in the first column: helpers() cuts the file there.

// Python's remainder: the sign of the divisor. The remainder `%` itself is exact.
function remainder(a, b) {
  const r = a % b;
  return r !== 0 && (r < 0) !== (b < 0) ? r + b : r;
}

// The nearest whole number, halves to even: adding 2^52 leaves no room for a fraction.
function rint(x) {
  const big = 4503599627370496;
  if (!(Math.abs(x) < big)) return x;
  return x < 0 ? -(big - x - big) : x + big - big;
}

// exp(-x²) without the rounding of x²: x is split in two, of which the first has few bits, so that its square is exact.
function gauss(x) {
  const high = Math.fround(x);
  return Math.exp(-high * high) * Math.exp(-(x - high) * (x + high));
}

// A&S 7.1.6, erf x = 2/√π e^(-x²) Σ 2ⁿ x^(2n+1) / (1·3···(2n+1)): every term is positive, nothing cancels.
function erfSeries(x) {
  let term = x, total = x;
  for (let n = 1; Math.abs(term) > 1e-17 * Math.abs(total); n++) {
    term *= (2 * x * x) / (2 * n + 1);
    total += term;
  }
  return 1.1283791670955126 * gauss(x) * total;
}

// A&S 7.1.14, the continued fraction √π e^(x²) erfc x = 1/(x + ½/(x + 1/(x + (3/2)/(x + …)))), from the inside out.
function erfcFraction(x) {
  if (x > 27.3) return 0;
  let tail = 0;
  for (let k = Math.ceil(8 + 160 / (x * x)); k > 0; k--) tail = (k / 2) / (x + tail);
  return gauss(x) / (1.772453850905516 * (x + tail));
}

function erf(x) {
  if (Number.isNaN(x)) return NaN;
  if (Math.abs(x) < 1.75) return erfSeries(x);
  return x > 0 ? 1 - erfcFraction(x) : erfcFraction(-x) - 1;
}

function erfc(x) {
  if (Number.isNaN(x)) return NaN;
  if (Math.abs(x) < 1.75) return 1 - erfSeries(x);
  return x > 0 ? erfcFraction(x) : 2 - erfcFraction(-x);
}

// sin πx and π/tan πx, with x first brought near 0, which is exact.
function sinPi(x) {
  const r = x - 2 * Math.round(x / 2);
  return Math.sin(Math.PI * (Math.abs(r) <= 0.5 ? r : Math.sign(r) - r));
}

function cotPi(x) {
  const r = x - Math.round(x);
  return Math.abs(r) === 0.5 ? 0 : 1 / Math.tan(Math.PI * r);
}

// A&S 6.1.41: Σ B₂ₖ / (2k(2k-1) x^(2k-1)), what Stirling's formula leaves out, for x ≥ 10.
function stirlingTail(x) {
  const c = [1 / 12, -1 / 360, 1 / 1260, -1 / 1680, 1 / 1188, -691 / 360360, 1 / 156, -3617 / 122400];
  const z = 1 / (x * x);
  return c.reduceRight((total, a) => total * z + a, 0) / x;
}

// Γ(x) for x > 0 as a product of two numbers, so that neither overflows before the product does.
function gammaFactors(x) {
  let below = 1;
  while (x < 10) below *= x++;
  const half = Math.pow(x, x / 2 - 0.25);
  return [half / below, half * (Math.exp(-x) * 2.5066282746310007 * Math.exp(stirlingTail(x)))];
}

// A&S 6.1.17 on the left: Γ(x) = -π / (x Γ(-x) sin πx). Whole numbers by their product, which is exact up to 23.
function gamma(x) {
  if (x === 0) return 1 / x;
  if (Number.isInteger(x)) {
    if (x < 0) return NaN;
    if (x > 171) return Infinity;
    if (x < 24) {
      let product = 1;
      for (let k = 2; k < x; k++) product *= k;
      return product;
    }
  }
  if (x > 180) return Infinity;
  if (x < -190) return 0;
  if (x < 0) {
    const [a, b] = gammaFactors(-x);
    return -Math.PI / (x * sinPi(x)) / a / b;
  }
  if (Number.isNaN(x)) return NaN;
  const [a, b] = gammaFactors(x);
  return a * b;
}

// A&S 6.1.33: ln Γ(2 + z) = (1 - γ)z + Σ (-1)ᵏ (ζ(k) - 1) zᵏ/k for |z| ≤ ½, relative to its zeros at z = 0.
function loggammaNearTwo(z) {
  const c = [
    0.6449340668482264, 0.2020569031595943, 0.0823232337111382, 0.03692775514336993, 0.01734306198444914,
    0.008349277381922827, 0.00407735619794434, 0.0020083928260822144, 0.0009945751278180853, 0.0004941886041194645,
    0.00024608655330804832, 0.00012271334757848915, 0.00006124813505870483, 0.000030588236307020494,
    0.000015282259408651872, 0.0000076371976378997626, 0.0000038172932649998399, 0.0000019082127165539389,
    9.539620338727961e-7, 4.769329867878065e-7, 2.3845050272773299e-7, 1.192199259653111e-7, 5.960818905125948e-8,
    2.980350351465228e-8, 1.4901554828365042e-8, 7.45071178983543e-9,
  ];
  let total = 0;
  for (let k = c.length + 1; k > 1; k--) total = total * z + ((k % 2 ? -1 : 1) * c[k - 2]) / k;
  return z * (0.42278433509846714 + z * total);
}

// ln |Γ(x)|: Stirling's formula from 10 on, its recurrence down to [3/2, 5/2], reflection on the left.
function loggamma(x) {
  if (Number.isNaN(x)) return NaN;
  if (Math.abs(x) === Infinity || (x <= 0 && Number.isInteger(x))) return Infinity;
  if (x < 0) return Math.log(Math.PI / Math.abs(x * sinPi(x))) - loggamma(-x);
  if (x < 0.5) return loggammaNearTwo(x) - Math.log1p(x) - Math.log(x);
  if (x < 1.5) return loggammaNearTwo(x - 1) - Math.log1p(x - 1);
  if (x >= 10) return (x - 0.5) * Math.log(x) - x + 0.9189385332046728 + stirlingTail(x);
  let product = 1;
  while (x > 2.5) product *= --x;
  return loggammaNearTwo(x - 2) + Math.log(product);
}

// A&S 6.3.18 from 10 on and 6.3.6 below; near the root 1.46…, its Taylor series; 6.3.7 on the left.
function digamma(x) {
  if (x === 0) return -1 / x;
  if (x === -Infinity || (x < 0 && Number.isInteger(x))) return NaN;
  if (x < 0) return digamma(-x) - 1 / x - Math.PI * cotPi(x);
  if (Math.abs(x - 1.4616321449683622) < 0.1) return digammaNearRoot(x - 1.4616321449683622 - 9.549995429965698e-17);
  let below = 0;
  while (x < 10) below += 1 / x++;
  const c = [1 / 12, -1 / 120, 1 / 252, -1 / 240, 1 / 132, -691 / 32760, 1 / 12, -3617 / 8160];
  const z = 1 / (x * x);
  return Math.log(x) - 0.5 / x - z * c.reduceRight((total, a) => total * z + a, 0) - below;
}

function digammaNearRoot(d) {
  const c = [
    0.9676722454476212, -0.4427631689835921, 0.258499760955651, -0.16394270544240653, 0.10782405069126237,
    -0.07219956125645471, 0.04880428816414311, -0.03316112647484735, 0.022597648232218105, -0.01542476590494896,
    0.010538791606612175, -0.007204534386356868, 0.004926781395729853, -0.003369801655439328,
  ];
  return d * c.reduceRight((total, a) => total * d + a, 0);
}

// A&S 6.4.11 far out and 6.4.6 below: all terms of one sign; on the left 6.4.7, with the nth derivative of cot as a
// polynomial in cot, p' → -(1 + c²) p'.
function polygamma(n, x) {
  if (n === 0) return digamma(x);
  if (!(n > 0) || !Number.isInteger(n)) return NaN;
  const sign = n % 2 ? 1 : -1;
  if (x <= 0 && Number.isInteger(x)) return Infinity * sign;
  if (x < 0) return -sign * polygamma(n, 1 - x) - Math.PI * cotPiDerivative(n, x);
  let factorial = 1, below = 0;
  for (let k = 2; k < n; k++) factorial *= k;
  while (x < n + 15) below += Math.pow(x++, -n - 1);
  const b = [1 / 6, -1 / 30, 1 / 42, -1 / 30, 5 / 66, -691 / 2730, 7 / 6, -3617 / 510, 43867 / 798];
  let total = 1 + n / (2 * x), rising = 1;
  for (let k = 1; k <= b.length; k++) {
    rising *= k === 1 ? (n * (n + 1)) / 2 : ((n + 2 * k - 2) * (n + 2 * k - 1)) / ((2 * k - 1) * 2 * k);
    total += b[k - 1] * rising * Math.pow(x, -2 * k);
  }
  return sign * factorial * (total * Math.pow(x, -n) + n * below);
}

function cotPiDerivative(n, x) {
  let p = [0, 1];
  for (let step = 0; step < n; step++) {
    const next = new Array(p.length + 1).fill(0);
    for (let k = 1; k < p.length; k++) {
      next[k - 1] -= k * p[k];
      next[k + 1] -= k * p[k];
    }
    p = next;
  }
  const c = cotPi(x);
  return Math.pow(Math.PI, n) * p.reduceRight((total, a) => total * c + a, 0);
}

// A&S 7.1.5 with i x for x: 2/√π Σ x^(2n+1) / (n! (2n+1)), every term positive.
function erfi(x) {
  if (Math.abs(x) > 26.8) return Math.sign(x) * Infinity;
  let power = x, total = x;
  for (let n = 1; Math.abs(power) > 1e-17 * Math.abs(total); n++) {
    power *= (x * x) / n;
    total += power / (2 * n + 1);
  }
  return 1.1283791670955126 * total;
}

// Halley's steps towards erf y = x, or from ½ on towards erfc y = 1 - x, where 1 - x is exact.
function erfinv(x) {
  const size = Math.abs(x);
  if (!(size < 1)) return size === 1 ? Math.sign(x) * Infinity : NaN;
  const log = Math.log1p(-x * x), a = 4.33 + log / 2;
  let y = Math.sqrt(Math.sqrt(a * a - log / 0.147) - a);
  for (let k = 0; k < 4; k++) {
    const off = size < 0.5 ? erf(y) - size : 1 - size - erfc(y);
    const step = (off / gauss(y)) * 0.886226925452758;
    y -= step / (1 + y * step);
  }
  return size < 1e-9 ? 0.886226925452758 * x : Math.sign(x) * y;
}

// Lambert's W by Halley's steps: R. Corless et al., On the Lambert W function, Adv. Comput. Math. 5, 1996.
function lambertw(x) {
  if (!(x > -0.36787944117144233)) return NaN;
  if (x === 0 || x === Infinity) return x;
  const p = Math.sqrt(Math.max(0, 2 * (Math.E * x + 1)));
  let w = x < -0.25 ? p - 1 - (p * p) / 3 : x < 3 ? Math.log1p(x) : Math.log(x) - Math.log(Math.log(x));
  for (let k = 0; k < 40; k++) {
    const e = Math.exp(w), off = w * e - x;
    const step = off / (e * (w + 1) - ((w + 2) * off) / (2 * w + 2));
    w -= step;
    if (!(Math.abs(step) > 1e-16 * Math.abs(w))) break;
  }
  return w;
}

// DLMF 25.2.9, the sum by Euler and Maclaurin, and 25.4.1 on the left: ζ(x) = 2 (2π)^(x-1) sin(πx/2) Γ(1-x) ζ(1-x).
function zeta(x) {
  if (Number.isNaN(x)) return NaN;
  if (x === 1 || x > 60) return x === 1 ? Infinity : 1;
  if (x < 0) {
    const [a, b] = gammaFactors(1 - x);
    return x < -200 ? NaN : 2 * Math.pow(2 * Math.PI, x - 1) * sinPi(x / 2) * a * b * zeta(1 - x);
  }
  const b = [1 / 6, -1 / 30, 1 / 42, -1 / 30, 5 / 66, -691 / 2730, 7 / 6, -3617 / 510, 43867 / 798];
  let total = Math.pow(12, 1 - x) / (x - 1) + Math.pow(12, -x) / 2, rising = x / 2;
  for (let k = 1; k <= b.length; k++) {
    total += b[k - 1] * rising * Math.pow(12, 1 - x - 2 * k);
    rising *= ((x + 2 * k - 1) * (x + 2 * k)) / ((2 * k + 1) * (2 * k + 2));
  }
  for (let k = 11; k > 0; k--) total += Math.pow(k, -x);
  return total;
}

function beta(a, b) {
  if (!(a > 0 && b > 0)) return NaN;
  if (a + b < 170) return (gamma(a) * gamma(b)) / gamma(a + b);
  return Math.exp(loggamma(a) + loggamma(b) - loggamma(a + b));
}

// A&S 9.6.10: Σ (x/2)^(2k+n) / (k! Γ(k+n+1)); I₋ₙ = Iₙ for whole n.
function besseli(n, x) {
  if (n < 0 && Number.isInteger(n)) n = -n;
  let term = Math.pow(x / 2, n) / gamma(n + 1), total = term;
  for (let k = 1; Math.abs(term) > 1e-17 * Math.abs(total) && total !== Infinity; k++) {
    term *= (x * x) / (4 * k * (k + n));
    total += term;
  }
  return total;
}
