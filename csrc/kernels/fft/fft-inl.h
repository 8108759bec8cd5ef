namespace graviton::GRAVITON_NS {

// The loops over q are the ones that the compiler makes vectors of.
static void FftRadix2(const FftPass& pass, int64_t step, Complex from, Complex to) {
  const int64_t s = pass.stride;
  for (int64_t p = 0; p < pass.m; ++p) {
    const float wr = pass.cosine[p * step];
    const float wi = pass.sine[p * step];
    const float* __restrict ar = from.real + s * p;
    const float* __restrict ai = from.imag + s * p;
    const float* __restrict br = ar + s * pass.m;
    const float* __restrict bi = ai + s * pass.m;
    float* __restrict yr = to.real + s * 2 * p;
    float* __restrict yi = to.imag + s * 2 * p;
    for (int64_t q = 0; q < s; ++q) {
      const float dr = ar[q] - br[q];
      const float di = ai[q] - bi[q];
      yr[q] = ar[q] + br[q];
      yi[q] = ai[q] + bi[q];
      yr[q + s] = dr * wr - di * wi;
      yi[q + s] = dr * wi + di * wr;
    }
  }
}

static void FftRadix4(const FftPass& pass, int64_t step, Complex from, Complex to) {
  const int64_t s = pass.stride;
  const int64_t far = s * pass.m;
  for (int64_t p = 0; p < pass.m; ++p) {
    const float w1r = pass.cosine[p * step], w1i = pass.sine[p * step];
    const float w2r = pass.cosine[2 * p * step], w2i = pass.sine[2 * p * step];
    const float w3r = pass.cosine[3 * p * step], w3i = pass.sine[3 * p * step];
    const float* __restrict xr = from.real + s * p;
    const float* __restrict xi = from.imag + s * p;
    float* __restrict yr = to.real + s * 4 * p;
    float* __restrict yi = to.imag + s * 4 * p;
    for (int64_t q = 0; q < s; ++q) {
      const float sum_r = xr[q] + xr[q + 2 * far], sum_i = xi[q] + xi[q + 2 * far];
      const float dif_r = xr[q] - xr[q + 2 * far], dif_i = xi[q] - xi[q + 2 * far];
      const float odd_r = xr[q + far] + xr[q + 3 * far], odd_i = xi[q + far] + xi[q + 3 * far];
      // −i (x1 − x3)
      const float rot_r = xi[q + far] - xi[q + 3 * far], rot_i = xr[q + 3 * far] - xr[q + far];
      yr[q] = sum_r + odd_r;
      yi[q] = sum_i + odd_i;
      const float a1r = dif_r + rot_r, a1i = dif_i + rot_i;
      const float a2r = sum_r - odd_r, a2i = sum_i - odd_i;
      const float a3r = dif_r - rot_r, a3i = dif_i - rot_i;
      yr[q + s] = a1r * w1r - a1i * w1i;
      yi[q + s] = a1r * w1i + a1i * w1r;
      yr[q + 2 * s] = a2r * w2r - a2i * w2i;
      yi[q + 2 * s] = a2r * w2i + a2i * w2r;
      yr[q + 3 * s] = a3r * w3r - a3i * w3i;
      yi[q + 3 * s] = a3r * w3i + a3i * w3r;
    }
  }
}

// Σ a_j exp(−2πi jk / r) by definition, times the twiddle of p and k.
static void FftRadixN(const FftPass& pass, int64_t step, Complex from, Complex to) {
  const int64_t s = pass.stride;
  const int64_t radix = pass.radix;
  const int64_t root = pass.total / radix;
  for (int64_t p = 0; p < pass.m; ++p) {
    for (int64_t k = 0; k < radix; ++k) {
      const float wr = pass.cosine[p * k * step];
      const float wi = pass.sine[p * k * step];
      float* __restrict yr = to.real + s * (radix * p + k);
      float* __restrict yi = to.imag + s * (radix * p + k);
      float cr[kMostRadix], ci[kMostRadix];
      for (int64_t j = 0; j < radix; ++j) {
        const int64_t at = j * k % radix * root;
        cr[j] = pass.cosine[at] * wr - pass.sine[at] * wi;
        ci[j] = pass.cosine[at] * wi + pass.sine[at] * wr;
      }
      for (int64_t q = 0; q < s; ++q) yr[q] = yi[q] = 0;
      for (int64_t j = 0; j < radix; ++j) {
        const float* __restrict xr = from.real + s * (p + pass.m * j);
        const float* __restrict xi = from.imag + s * (p + pass.m * j);
        for (int64_t q = 0; q < s; ++q) {
          yr[q] += xr[q] * cr[j] - xi[q] * ci[j];
          yi[q] += xr[q] * ci[j] + xi[q] * cr[j];
        }
      }
    }
  }
}

static void FftPassOf(const FftPass& pass, Complex from, Complex to) {
  const int64_t step = pass.total / (pass.radix * pass.m);
  if (pass.radix == 4) {
    FftRadix4(pass, step, from, to);
  } else if (pass.radix == 2) {
    FftRadix2(pass, step, from, to);
  } else {
    FftRadixN(pass, step, from, to);
  }
}

extern const FftKernels kFftKernels;
const FftKernels kFftKernels = {.pass = FftPassOf};

}  // namespace graviton::GRAVITON_NS
