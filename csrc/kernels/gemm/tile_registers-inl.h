// Products in the matrix unit (Intel SDM volume 1, chapter 18, "Programming with Intel AMX"): eight
// registers hold tiles of up to 16 rows of 64 bytes, and one instruction adds the product of a tile
// of A (rows of consecutive k) and a tile of B (16 columns of which 4 bytes of k lie together) to a
// tile of sums. Internal linkage, as kernels/gemm/tiles-inl.h.
#include "kernels/gemm/finish-inl.h"
#include "kernels/gemm/micro_kernel-inl.h"

namespace graviton::GRAVITON_NS {
namespace {

constexpr size_t kRegisterRows = 16;
constexpr size_t kRegisterBytes = 64;  // of a row
// Two by two registers of sums: each that is loaded serves two products.
constexpr size_t kPatchRows = 2 * kRegisterRows;
constexpr size_t kPatchVectors = 2;
constexpr size_t kPatchCols = kPatchVectors * kLanes;

// What the registers hold of A and B.
enum class TileType : uint8_t {
  kBf16,      // 32 k to a register
  kSplitF32,  // the same, three addends of each float
  kInt8,      // 64 k
};

// Registers are set up while this lives: sums and A in `rows` rows, B in 16.
class TileRegisters {
 public:
  explicit TileRegisters(size_t rows) {
    struct alignas(64) {
      uint8_t palette = 1;
      uint8_t start_row = 0;
      uint8_t reserved[14] = {};
      uint16_t row_bytes[16] = {};
      uint8_t rows[16] = {};
    } config;
    for (size_t i = 0; i < 8; ++i) {
      config.row_bytes[i] = kRegisterBytes;
      config.rows[i] = static_cast<uint8_t>(i < 6 ? rows : kRegisterRows);
    }
    // The intrinsics of g++ 12 do not say that they read all of it.
    asm volatile("" : : "r"(&config) : "memory");
    _tile_loadconfig(&config);
  }
  ~TileRegisters() { _tile_release(); }
  TileRegisters(const TileRegisters&) = delete;
  TileRegisters& operator=(const TileRegisters&) = delete;
};

// One patch of sums: rows of A meet one or two vectors of columns.
struct PatchCall {
  const void* a;
  size_t a_row;         // bytes from row to row
  size_t a_addend = 0;  // … from addend to addend
  const void* panel;
  size_t panel_addend = 0;
  size_t panel_step;            // bytes from step to step
  size_t steps;                 // registers of depth
  size_t rows = 0;              // of a register
  const char* ahead = nullptr;  // is brought to L2 meanwhile, `ahead_step` bytes with each step
  size_t ahead_step = 0;
};

// Registers 0 to 3 hold the sums, 4 and 5 hold A, 6 and 7 hold B.
template <TileType kType, int kRowTiles, int kVectors>
[[gnu::always_inline]] inline void MultiplyRegisters() {
  if constexpr (kType == TileType::kInt8) {
    _tile_dpbssd(0, 4, 6);
    if constexpr (kVectors > 1) _tile_dpbssd(1, 4, 7);
    if constexpr (kRowTiles > 1) _tile_dpbssd(2, 5, 6);
    if constexpr (kRowTiles > 1 && kVectors > 1) _tile_dpbssd(3, 5, 7);
  } else {
    _tile_dpbf16ps(0, 4, 6);
    if constexpr (kVectors > 1) _tile_dpbf16ps(1, 4, 7);
    if constexpr (kRowTiles > 1) _tile_dpbf16ps(2, 5, 6);
    if constexpr (kRowTiles > 1 && kVectors > 1) _tile_dpbf16ps(3, 5, 7);
  }
}

// sums[row][kPatchCols], int32 or float.
template <TileType kType, int kRowTiles, int kVectors>
void MultiplyPatch(const PatchCall& call, void* sums) {
  // Nor do they say that a load reads memory.
  asm volatile("" : : : "memory");
  _tile_zero(0);
  if constexpr (kVectors > 1) _tile_zero(1);
  if constexpr (kRowTiles > 1) _tile_zero(2);
  if constexpr (kRowTiles > 1 && kVectors > 1) _tile_zero(3);
  const char* a = static_cast<const char*>(call.a);
  const char* b = static_cast<const char*>(call.panel);
  const auto load_a = [&](size_t addend) __attribute__((always_inline)) {
    const char* from = a + addend * call.a_addend;
    _tile_loadd(4, from, call.a_row);
    if constexpr (kRowTiles > 1) _tile_loadd(5, from + call.rows * call.a_row, call.a_row);
  };
  const auto load_b = [&](size_t addend) __attribute__((always_inline)) {
    const char* from = b + addend * call.panel_addend;
    _tile_loadd(6, from, kRegisterBytes);
    if constexpr (kVectors > 1)
      _tile_loadd(7, from + kRegisterRows * kRegisterBytes, kRegisterBytes);
  };
  const char* ahead = call.ahead;
  for (size_t step = 0; step < call.steps; ++step) {
    if constexpr (kType == TileType::kSplitF32) {
      // The smallest first, which lose least by rounding; in this order seven loads serve six
      // products.
      load_a(2);
      load_b(0);
      MultiplyRegisters<kType, kRowTiles, kVectors>();
      load_a(1);
      MultiplyRegisters<kType, kRowTiles, kVectors>();
      load_b(1);
      MultiplyRegisters<kType, kRowTiles, kVectors>();
      load_a(0);
      MultiplyRegisters<kType, kRowTiles, kVectors>();
      load_b(2);
      MultiplyRegisters<kType, kRowTiles, kVectors>();
      load_b(0);
      MultiplyRegisters<kType, kRowTiles, kVectors>();
    } else {
      load_a(0);
      load_b(0);
      MultiplyRegisters<kType, kRowTiles, kVectors>();
    }
    Prefetch(ahead, call.ahead_step);
    ahead += call.ahead_step;
    a += kRegisterBytes;
    b += call.panel_step;
  }
  constexpr size_t kRow = kPatchCols * sizeof(float);
  char* out = static_cast<char*>(sums);
  _tile_stored(0, out, kRow);
  if constexpr (kVectors > 1) _tile_stored(1, out + kRegisterBytes, kRow);
  out += call.rows * kRow;
  if constexpr (kRowTiles > 1) _tile_stored(2, out, kRow);
  if constexpr (kRowTiles > 1 && kVectors > 1) _tile_stored(3, out + kRegisterBytes, kRow);
}

using PatchFunction = void (*)(const PatchCall&, void*);
// [rows of registers - 1][vectors - 1]
template <TileType kType>
constexpr PatchFunction kPatches[2][2] = {
    {MultiplyPatch<kType, 1, 1>, MultiplyPatch<kType, 1, 2>},
    {MultiplyPatch<kType, 2, 1>, MultiplyPatch<kType, 2, 2>},
};

// How a block of rows is cut into patches: all registers have the same number of rows, so that they
// are set up once. The last patch may reach below the block, over rows that nobody reads.
struct Patches {
  size_t count;
  size_t rows;           // of a register
  size_t register_rows;  // registers to a patch: 1 or 2
  explicit Patches(size_t block)
      : count((block + kPatchRows - 1) / kPatchRows), rows(block), register_rows(1) {
    if (block <= kRegisterRows) return;
    register_rows = 2;
    const size_t height = (block + count - 1) / count;
    rows = (height + 1) / 2;
  }
  size_t height() const { return rows * register_rows; }
};

template <int kRows, int kVectors>
void FinishRows(TileOut* out, const float* patch) {
  Vf sums[kRows][kVectors];
#pragma GCC unroll 8
  for (int i = 0; i < kRows; ++i) {
#pragma GCC unroll 2
    for (int j = 0; j < kVectors; ++j) sums[i][j] = Load(patch + i * kPatchCols + j * kLanes);
  }
  FinishTile(*out, sums);
  MoveDown(out, kRows);
}

// `rows` of a patch, after which `out` is that of the rows below.
template <int kVectors>
void FinishPatch(TileOut* out, const float* patch, size_t rows) {
  constexpr size_t kAtOnce = 8;
  for (; rows >= kAtOnce; rows -= kAtOnce, patch += kAtOnce * kPatchCols)
    FinishRows<kAtOnce, kVectors>(out, patch);
  for (; rows > 0; --rows, patch += kPatchCols) FinishRows<1, kVectors>(out, patch);
}
inline void FinishPatch(TileOut* out, const float* patch, size_t rows, size_t vectors) {
  vectors == 1 ? FinishPatch<1>(out, patch, rows) : FinishPatch<2>(out, patch, rows);
}

// All patches of a block of `block` rows with a run of columns; `call` is the first, `next` (null:
// none) a panel as large, which is brought to L2 meanwhile. settle(row, rows) makes a patch's sums
// what they stand for.
template <TileType kType, class Settle>
void MultiplyPatches(PatchCall call, size_t block, size_t vectors, const void* next, TileOut out,
                     float* sums, const Settle& settle) {
  const Patches patches(block);
  const PatchFunction multiply = kPatches<kType>[patches.register_rows - 1][vectors - 1];
  call.rows = patches.rows;
  call.ahead = static_cast<const char*>(next);
  call.ahead_step = next == nullptr ? 0 : call.panel_step / patches.count;
  for (size_t row = 0; row < block; row += patches.height()) {
    const size_t left = block - row;
    const size_t rows = left < patches.height() ? left : patches.height();
    multiply(call, sums);
    settle(row, rows);
    FinishPatch(&out, sums, rows, vectors);
    call.a = static_cast<const char*>(call.a) + patches.height() * call.a_row;
    call.ahead += call.ahead_step * call.steps;
  }
}

}  // namespace
}  // namespace graviton::GRAVITON_NS
