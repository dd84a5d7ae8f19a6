// The attention kernel, written once over a vector type; one source file an instruction set
// includes it.
//
// `Simd` gives: kWidth; Vector; Load, Store, Zero, Broadcast, Add, Sub, Mul, Max, Fma(a, b, c) =
// a × b + c; Round to nearest; ScaleByPowerOfTwo(x, integral n); ZeroBelow(x, limit, y) = x < limit
// ? 0 : y; ReduceAdd, ReduceMax; Transpose of kWidth vectors; Widen(half*) and the scalar WidenOne.
// Max(a, b) returns b where either is NaN.
//
// Everything here is a template on Simd, and nothing of the standard library is called: code that
// is compiled for one instruction set must not be merged with that of another by the linker.
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/paged_attention.h"

namespace llmr::kernel {

constexpr int kChunk = 32;           // positions taken at a time: fixes the order of additions
constexpr int kTileElements = 8192;  // queries of a tile × head dimension, at most
constexpr int kTileRows = 64;        // queries of a tile, at most

template <class Simd>
typename Simd::Vector Exp(typename Simd::Vector x) {
  using V = typename Simd::Vector;
  const V lowest = Simd::Broadcast(-87.0F);
  const V clamped = Simd::Max(lowest, x);
  const V n = Simd::Round(Simd::Mul(clamped, Simd::Broadcast(1.44269504088896341F)));
  V r = Simd::Fma(n, Simd::Broadcast(-0.693359375F), clamped);  // ln 2 in two parts
  r = Simd::Fma(n, Simd::Broadcast(2.12194440e-4F), r);
  // Minimax polynomial of e^r on [-ln 2 / 2, ln 2 / 2].
  V p = Simd::Broadcast(1.9875691500e-4F);
  p = Simd::Fma(p, r, Simd::Broadcast(1.3981999507e-3F));
  p = Simd::Fma(p, r, Simd::Broadcast(8.3334519073e-3F));
  p = Simd::Fma(p, r, Simd::Broadcast(4.1665795894e-2F));
  p = Simd::Fma(p, r, Simd::Broadcast(1.6666665459e-1F));
  p = Simd::Fma(p, r, Simd::Broadcast(5.0000001201e-1F));
  p = Simd::Fma(p, Simd::Mul(r, r), Simd::Add(r, Simd::Broadcast(1.0F)));
  return Simd::ZeroBelow(x, lowest, Simd::ScaleByPowerOfTwo(p, n));
}

// One key/value row of `count` elements to F32.
template <class Simd>
void Widen(const float* source, int count, float* target) {
  for (int i = 0; i < count; ++i) {
    target[i] = source[i];
  }
}

template <class Simd>
void Widen(const ggml_fp16_t* source, int count, float* target) {
  int i = 0;
  for (; i + Simd::kWidth <= count; i += Simd::kWidth) {
    Simd::Store(target + i, Simd::Widen(source + i));
  }
  for (; i < count; ++i) {
    target[i] = Simd::WidenOne(source[i]);
  }
}

// Queries of one sequence and one key/value head that are computed together. Row r is query head
// r % group of token r / group.
template <class Simd, class Element>
class Tile {
 public:
  Tile(const PagedAttentionArgs& args, const AttentionSpan& span, int kv_head, int first_row,
       int rows)
      : args_(args),
        span_(span),
        kv_head_(kv_head),
        group_(args.heads / args.kv_heads),
        first_row_(first_row),
        rows_(rows),
        vectors_((args.head_dim + Simd::kWidth - 1) / Simd::kWidth),
        padded_(vectors_ * Simd::kWidth) {}

  void Compute() {
    Start();
    const int end = Position(rows_ - 1) + 1;
    Prefetch(args_.keys, 0, Length(0, end));
    for (int chunk = 0; chunk < end; chunk += kChunk) {
      int row = 0;
      while (Position(row) < chunk) {
        ++row;
      }
      ComputeChunk(row, chunk, end);
    }
    StoreOutput();
  }

 private:
  using Vector = typename Simd::Vector;

  int Position(int row) const { return span_.start_position + (first_row_ + row) / group_; }

  static int Length(int chunk, int end) {
    const int count = end - chunk;
    return count < kChunk ? count : kChunk;
  }

  // Brings the rows from `row` on, those that see any of it, past the chunk.
  void ComputeChunk(int row, int chunk, int end) {
    const int length = Length(chunk, end);
    Gather(args_.keys, chunk, length);
    Prefetch(args_.values, chunk, length);
    TransposeKeys(length);
    Scores(row);
    for (int r = row; r < rows_; ++r) {
      Weigh(r, Valid(r, chunk));
    }
    Gather(args_.values, chunk, length);
    Prefetch(args_.keys, chunk + kChunk, Length(chunk + kChunk, end));
    Accumulate(row, chunk);
  }

  // Positions of a chunk that the row may see.
  int Valid(int row, int chunk) const {
    const int count = Position(row) - chunk + 1;
    return count < kChunk ? count : kChunk;
  }

  std::int64_t Token(int row) const { return span_.first_token + (first_row_ + row) / group_; }
  int Head(int row) const { return kv_head_ * group_ + (first_row_ + row) % group_; }

  void Start() {
    for (int i = 0; i < rows_ * padded_; ++i) {
      output_[i] = 0.0F;
    }
    for (int row = 0; row < rows_; ++row) {
      maximum_[row] = -__builtin_inff();
      sum_[row] = 0.0F;
    }
  }

  // This head's key or value of a position.
  const Element* Row(const std::byte* pool, int position) const {
    const int block_size = args_.batch->block_size;
    const std::int64_t slot =
        static_cast<std::int64_t>(span_.blocks[position / block_size]) * block_size +
        position % block_size;
    return reinterpret_cast<const Element*>(pool +
                                            static_cast<std::size_t>(slot) * args_.row_bytes) +
           static_cast<std::int64_t>(kv_head_) * args_.head_dim;
  }

  // Asks for rows that are needed soon: they lie too far apart for the machine to guess.
  void Prefetch(const std::byte* pool, int chunk, int length) const {
    constexpr int kLine = 64 / static_cast<int>(sizeof(Element));
    for (int i = 0; i < length; ++i) {
      const Element* row = Row(pool, chunk + i);
      for (int k = 0; k < args_.head_dim; k += kLine) {
        __builtin_prefetch(row + k);
      }
    }
  }

  // Keys or values of `length` positions as F32 rows, padded with zeros to whole vectors.
  void Gather(const std::byte* pool, int chunk, int length) {
    for (int i = 0; i < length; ++i) {
      Widen<Simd>(Row(pool, chunk + i), args_.head_dim, gathered_ + i * padded_);
      for (int k = args_.head_dim; k < padded_; ++k) {
        gathered_[i * padded_ + k] = 0.0F;
      }
    }
  }

  // Lays the gathered keys out by element, so that a vector holds one element of kWidth positions:
  // a score then needs no sum across a vector. Positions from `length` on are zero.
  void TransposeKeys(int length) {
    for (int position = 0; position < kChunk; position += Simd::kWidth) {
      for (int element = 0; element < padded_; element += Simd::kWidth) {
        Vector rows[Simd::kWidth];
        for (int i = 0; i < Simd::kWidth; ++i) {
          rows[i] = position + i < length
                        ? Simd::Load(gathered_ + (position + i) * padded_ + element)
                        : Simd::Zero();
        }
        Simd::Transpose(rows);
        for (int i = 0; i < Simd::kWidth; ++i) {
          Simd::Store(keys_ + (element + i) * kChunk + position, rows[i]);
        }
      }
    }
  }

  // Scaled dot products of the rows from `row` on with the transposed keys.
  void Scores(int row) {
    for (; row + Simd::kRowsAtOnce <= rows_; row += Simd::kRowsAtOnce) {
      ScoreRows<Simd::kRowsAtOnce>(row);
    }
    for (; row < rows_; ++row) {
      ScoreRows<1>(row);
    }
  }

  template <int kRows>
  void ScoreRows(int row) {
    constexpr int kVectors = kChunk / Simd::kWidth;
    const float* queries[kRows];
    Vector dot[kRows][kVectors];
    for (int r = 0; r < kRows; ++r) {
      queries[r] = args_.queries + Token(row + r) * args_.query_token_stride +
                   Head(row + r) * args_.query_head_stride;
      for (int v = 0; v < kVectors; ++v) {
        dot[r][v] = Simd::Zero();
      }
    }
    for (int element = 0; element < args_.head_dim; ++element) {
      Vector key[kVectors];
      for (int v = 0; v < kVectors; ++v) {
        key[v] = Simd::Load(keys_ + element * kChunk + v * Simd::kWidth);
      }
      for (int r = 0; r < kRows; ++r) {
        const Vector query = Simd::Broadcast(queries[r][element]);
        for (int v = 0; v < kVectors; ++v) {
          dot[r][v] = Simd::Fma(query, key[v], dot[r][v]);
        }
      }
    }
    const Vector scale = Simd::Broadcast(args_.scale);
    for (int r = 0; r < kRows; ++r) {
      for (int v = 0; v < kVectors; ++v) {
        Simd::Store(weights_ + (row + r) * kChunk + v * Simd::kWidth, Simd::Mul(dot[r][v], scale));
      }
    }
  }

  // Turns a row's scores into unnormalised weights, and brings what it has summed up so far to the
  // same maximum.
  void Weigh(int row, int valid) {
    float* weights = weights_ + row * kChunk;
    for (int i = valid; i < kChunk; ++i) {
      weights[i] = -__builtin_inff();
    }
    Vector largest = Simd::Broadcast(maximum_[row]);
    for (int i = 0; i < kChunk; i += Simd::kWidth) {
      largest = Simd::Max(largest, Simd::Load(weights + i));
    }
    const float maximum = Simd::ReduceMax(largest);
    Vector sum = Simd::Zero();
    for (int i = 0; i < kChunk; i += Simd::kWidth) {
      const Vector weight = Exp<Simd>(Simd::Sub(Simd::Load(weights + i), Simd::Broadcast(maximum)));
      Simd::Store(weights + i, weight);
      sum = Simd::Add(sum, weight);
    }
    if (maximum > maximum_[row]) {
      Rescale(row, maximum);
    }
    maximum_[row] = maximum;
    sum_[row] += Simd::ReduceAdd(sum);
  }

  void Rescale(int row, float maximum) {
    const Vector factor = Exp<Simd>(Simd::Broadcast(maximum_[row] - maximum));
    float lanes[Simd::kWidth];
    Simd::Store(lanes, factor);
    sum_[row] *= lanes[0];
    float* output = output_ + row * padded_;
    for (int i = 0; i < padded_; i += Simd::kWidth) {
      Simd::Store(output + i, Simd::Mul(Simd::Load(output + i), factor));
    }
  }

  // Rows that see the whole chunk go together. A row that sees part of it goes alone, so that it
  // never touches a value behind itself: zero times infinity would spoil it.
  void Accumulate(int row, int chunk) {
    for (; row < rows_ && Valid(row, chunk) < kChunk; ++row) {
      AccumulateRows<1>(row, Valid(row, chunk));
    }
    for (; row + Simd::kRowsAtOnce <= rows_; row += Simd::kRowsAtOnce) {
      AccumulateRows<Simd::kRowsAtOnce>(row, kChunk);
    }
    for (; row < rows_; ++row) {
      AccumulateRows<1>(row, kChunk);
    }
  }

  template <int kRows>
  void AccumulateRows(int row, int positions) {
    int vector = 0;
    for (; vector + 4 <= vectors_; vector += 4) {
      AccumulateColumns<kRows, 4>(row, positions, vector * Simd::kWidth);
    }
    for (; vector < vectors_; ++vector) {
      AccumulateColumns<kRows, 1>(row, positions, vector * Simd::kWidth);
    }
  }

  template <int kRows, int kVectors>
  void AccumulateColumns(int row, int positions, int column) {
    Vector total[kRows][kVectors];
    for (int r = 0; r < kRows; ++r) {
      for (int v = 0; v < kVectors; ++v) {
        total[r][v] = Simd::Load(output_ + (row + r) * padded_ + column + v * Simd::kWidth);
      }
    }
    for (int position = 0; position < positions; ++position) {
      const float* values = gathered_ + position * padded_ + column;
      Vector value[kVectors];
      for (int v = 0; v < kVectors; ++v) {
        value[v] = Simd::Load(values + v * Simd::kWidth);
      }
      for (int r = 0; r < kRows; ++r) {
        const Vector weight = Simd::Broadcast(weights_[(row + r) * kChunk + position]);
        for (int v = 0; v < kVectors; ++v) {
          total[r][v] = Simd::Fma(weight, value[v], total[r][v]);
        }
      }
    }
    for (int r = 0; r < kRows; ++r) {
      for (int v = 0; v < kVectors; ++v) {
        Simd::Store(output_ + (row + r) * padded_ + column + v * Simd::kWidth, total[r][v]);
      }
    }
  }

  void StoreOutput() {
    for (int row = 0; row < rows_; ++row) {
      float* target = args_.output + (Token(row) * args_.heads + Head(row)) * args_.head_dim;
      const float inverse = 1.0F / sum_[row];
      for (int i = 0; i < args_.head_dim; ++i) {
        target[i] = output_[row * padded_ + i] * inverse;
      }
    }
  }

  const PagedAttentionArgs& args_;
  const AttentionSpan& span_;
  const int kv_head_;
  const int group_;
  const int first_row_;
  const int rows_;
  const int vectors_;
  const int padded_;
  alignas(64) float output_[kTileElements];
  alignas(64) float gathered_[kChunk * kMaxHeadDim];  // [position][element]
  alignas(64) float keys_[kMaxHeadDim * kChunk];      // [element][position]
  alignas(64) float weights_[kTileRows * kChunk];
  float maximum_[kTileRows];
  float sum_[kTileRows];
};

// Rows that fit a tile: fixed by the head dimension.
template <class Simd>
int RowsATile(const PagedAttentionArgs& args) {
  const int padded = (args.head_dim + Simd::kWidth - 1) / Simd::kWidth * Simd::kWidth;
  const int rows = kTileElements / padded;
  return rows < kTileRows ? rows : kTileRows;
}

template <class Simd, class Element>
void ComputeShare(const PagedAttentionArgs& args, int thread, int threads) {
  const int rows_a_tile = RowsATile<Simd>(args);
  const int group = args.heads / args.kv_heads;
  int item = 0;
  const AttentionSpan* span = args.batch->spans.data();
  const AttentionSpan* const end = span + args.batch->spans.size();
  for (; span != end; ++span) {
    const int rows = span->token_count * group;
    for (int first = 0; first < rows; first += rows_a_tile) {
      const int count = rows - first < rows_a_tile ? rows - first : rows_a_tile;
      for (int kv_head = 0; kv_head < args.kv_heads; ++kv_head, ++item) {
        if (item % threads == thread) {
          Tile<Simd, Element>(args, *span, kv_head, first, count).Compute();
        }
      }
    }
  }
}

}  // namespace llmr::kernel
