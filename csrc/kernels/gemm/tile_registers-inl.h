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
  size_t a_row;  // bytes from row to row
  const void* panel;
  size_t panel_step;            // bytes from step to step
  size_t steps;                 // registers of depth
  size_t rows = 0;              // of a register
  const char* ahead = nullptr;  // is brought to L2 meanwhile, `ahead_step` bytes with each step
  size_t ahead_step = 0;
};

// Registers 0 to 3 hold the sums, 4 and 5 hold A, 6 and 7 hold B.
template <int kRowTiles, int kVectors>
[[gnu::always_inline]] inline void ClearRegisters() {
  // The intrinsics do not say that a load reads memory.
  asm volatile("" : : : "memory");
  _tile_zero(0);
  if constexpr (kVectors > 1) _tile_zero(1);
  if constexpr (kRowTiles > 1) _tile_zero(2);
  if constexpr (kRowTiles > 1 && kVectors > 1) _tile_zero(3);
}
template <int kRowTiles>
[[gnu::always_inline]] inline void LoadA(const char* from, size_t row, size_t rows) {
  _tile_loadd(4, from, row);
  if constexpr (kRowTiles > 1) _tile_loadd(5, from + rows * row, row);
}
template <int kVectors>
[[gnu::always_inline]] inline void LoadB(const char* from) {
  _tile_loadd(6, from, kRegisterBytes);
  if constexpr (kVectors > 1) _tile_loadd(7, from + kRegisterRows * kRegisterBytes, kRegisterBytes);
}
template <bool kInt8, int kRowTiles, int kVectors>
[[gnu::always_inline]] inline void MultiplyRegisters() {
  if constexpr (kInt8) {
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
template <int kRowTiles, int kVectors>
[[gnu::always_inline]] inline void LoadSums(size_t rows, const void* sums) {
  constexpr size_t kRow = kPatchCols * sizeof(float);
  const char* from = static_cast<const char*>(sums);
  _tile_loadd(0, from, kRow);
  if constexpr (kVectors > 1) _tile_loadd(1, from + kRegisterBytes, kRow);
  from += rows * kRow;
  if constexpr (kRowTiles > 1) _tile_loadd(2, from, kRow);
  if constexpr (kRowTiles > 1 && kVectors > 1) _tile_loadd(3, from + kRegisterBytes, kRow);
}
template <int kRowTiles, int kVectors>
[[gnu::always_inline]] inline void StoreSums(size_t rows, void* sums) {
  constexpr size_t kRow = kPatchCols * sizeof(float);
  char* to = static_cast<char*>(sums);
  _tile_stored(0, to, kRow);
  if constexpr (kVectors > 1) _tile_stored(1, to + kRegisterBytes, kRow);
  to += rows * kRow;
  if constexpr (kRowTiles > 1) _tile_stored(2, to, kRow);
  if constexpr (kRowTiles > 1 && kVectors > 1) _tile_stored(3, to + kRegisterBytes, kRow);
}

// Of bfloat16, 32 k to a register, or of int8, 64 k.
template <bool kInt8, int kRowTiles, int kVectors>
void MultiplyPatch(const PatchCall& call, void* sums) {
  ClearRegisters<kRowTiles, kVectors>();
  const char* a = static_cast<const char*>(call.a);
  const char* b = static_cast<const char*>(call.panel);
  const char* ahead = call.ahead;
  for (size_t step = 0; step < call.steps; ++step) {
    LoadA<kRowTiles>(a, call.a_row, call.rows);
    LoadB<kVectors>(b);
    MultiplyRegisters<kInt8, kRowTiles, kVectors>();
    Prefetch(ahead, call.ahead_step);
    ahead += call.ahead_step;
    a += kRegisterBytes;
    b += call.panel_step;
  }
  StoreSums<kRowTiles, kVectors>(call.rows, sums);
}

// [rows of registers - 1][vectors - 1]
template <class Call>
struct PatchTable {
  void (*of[2][2])(const Call&, void* sums);
};
template <bool kInt8>
constexpr PatchTable<PatchCall> kPatches = {{
    {MultiplyPatch<kInt8, 1, 1>, MultiplyPatch<kInt8, 1, 2>},
    {MultiplyPatch<kInt8, 2, 1>, MultiplyPatch<kInt8, 2, 2>},
}};

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

// All patches of a block of `block` rows with a run of columns; at_patch(number) is the call for
// one, and settle(row, rows) makes its sums what they stand for.
template <class Call, class AtPatch, class Settle>
void MultiplyPatches(const PatchTable<Call>& table, const Patches& patches, size_t block,
                     size_t vectors, TileOut out, float* sums, const AtPatch& at_patch,
                     const Settle& settle) {
  const auto multiply = table.of[patches.register_rows - 1][vectors - 1];
  for (size_t patch = 0, row = 0; patch < patches.count; ++patch, row += patches.height()) {
    const size_t left = block - row;
    const size_t rows = left < patches.height() ? left : patches.height();
    multiply(at_patch(patch), sums);
    settle(row, rows);
    FinishPatch(&out, sums, rows, vectors);
  }
}

// As MultiplyPatches, of bfloat16 or int8: `call` is the first patch, `next` (null: none) a panel
// as large, which is brought to L2 meanwhile.
template <bool kInt8, class Settle>
void MultiplyPanel(PatchCall call, size_t block, size_t vectors, const void* next,
                   const TileOut& out, float* sums, const Settle& settle) {
  const Patches patches(block);
  call.rows = patches.rows;
  call.ahead = static_cast<const char*>(next);
  call.ahead_step = next == nullptr ? 0 : call.panel_step / patches.count;
  const auto at_patch = [&](size_t patch) -> const PatchCall& {
    if (patch > 0) {
      call.a = static_cast<const char*>(call.a) + patches.height() * call.a_row;
      call.ahead += call.ahead_step * call.steps;
    }
    return call;
  };
  MultiplyPatches(kPatches<kInt8>, patches, block, vectors, out, sums, at_patch, settle);
}

}  // namespace
}  // namespace graviton::GRAVITON_NS
