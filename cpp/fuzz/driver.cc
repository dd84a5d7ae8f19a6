// Stands in for libFuzzer where the compiler has none: runs a target over seed files and over
// mutations of them.
//
//   gguf_fuzzer -runs=100000 -seed=1 seed.gguf …
//
// Deterministic for the same arguments. It knows no coverage: it finds what mutations close to a
// valid file can find.
#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <iterator>
#include <memory>
#include <random>
#include <string>
#include <string_view>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

namespace {

using Bytes = std::vector<uint8_t>;

struct Options {
  uint64_t runs = 100000;
  uint64_t seed = 1;
  std::vector<Bytes> corpus;
};

// A copy of exactly the right size on the heap: the sanitizer sees a read one byte past it.
void Run(const Bytes& input) {
  const auto copy = std::make_unique<uint8_t[]>(input.size());
  std::copy(input.begin(), input.end(), copy.get());
  LLVMFuzzerTestOneInput(copy.get(), input.size());
}

class Mutator {
 public:
  explicit Mutator(uint64_t seed) : random_(seed) {}

  Bytes Mutate(const std::vector<Bytes>& corpus) {
    Bytes bytes = corpus[Below(corpus.size())];
    for (size_t count = 1 + Below(4); count > 0; --count) {
      MutateOnce(bytes);
    }
    return bytes;
  }

 private:
  size_t Below(size_t limit) { return static_cast<size_t>(random_() % std::max<size_t>(limit, 1)); }

  void MutateOnce(Bytes& bytes) {
    if (bytes.empty()) {
      bytes.push_back(static_cast<uint8_t>(Below(256)));
      return;
    }
    const size_t at = Below(bytes.size());
    const auto here = bytes.begin() + static_cast<std::ptrdiff_t>(at);
    switch (Below(6)) {
      case 0:
        bytes[at] = static_cast<uint8_t>(bytes[at] ^ (1U << Below(8)));
        break;
      case 1:
        bytes[at] = static_cast<uint8_t>(Below(256));
        break;
      case 2:
        Overwrite(bytes, at);
        break;
      case 3:
        bytes.erase(here,
                    here + static_cast<std::ptrdiff_t>(std::min(bytes.size() - at, 1 + Below(16))));
        break;
      case 4:
        bytes.insert(here, 1 + Below(16), static_cast<uint8_t>(Below(256)));
        break;
      default:
        bytes.resize(at);
    }
  }

  // A number at the edge of some range, over 4 or 8 bytes.
  void Overwrite(Bytes& bytes, size_t at) {
    constexpr std::array<uint64_t, 10> kEdges = {0,
                                                 1,
                                                 32,
                                                 0x7fffffff,
                                                 0x80000000,
                                                 0xffffffff,
                                                 uint64_t{1} << 62,
                                                 ~uint64_t{0} >> 1,
                                                 uint64_t{1} << 63,
                                                 ~uint64_t{0}};
    const uint64_t value = kEdges[Below(kEdges.size())];
    const size_t width = std::min<size_t>(Below(2) == 0 ? 4 : 8, bytes.size() - at);
    std::memcpy(bytes.data() + at, &value, width);
  }

  std::mt19937_64 random_;
};

bool ReadNumber(std::string_view argument, std::string_view name, uint64_t& out) {
  if (!argument.starts_with(name)) {
    return false;
  }
  const std::string_view digits = argument.substr(name.size());
  return std::from_chars(digits.data(), digits.data() + digits.size(), out).ec == std::errc();
}

Bytes ReadFile(const std::string& path) {
  std::ifstream stream(path, std::ios::binary);
  return Bytes(std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>());
}

Options ParseArguments(int count, char** arguments) {
  Options options;
  for (int index = 1; index < count; ++index) {
    const std::string argument = arguments[index];
    if (!ReadNumber(argument, "-runs=", options.runs) &&
        !ReadNumber(argument, "-seed=", options.seed)) {
      options.corpus.push_back(ReadFile(argument));
    }
  }
  if (options.corpus.empty()) {
    options.corpus.emplace_back();
  }
  return options;
}

}  // namespace

int main(int argc, char** argv) {
  const Options options = ParseArguments(argc, argv);
  for (const Bytes& seed : options.corpus) {
    Run(seed);
  }
  Mutator mutator(options.seed);
  for (uint64_t run = 0; run < options.runs; ++run) {
    Run(mutator.Mutate(options.corpus));
  }
  std::printf("%llu runs, nothing found\n", static_cast<unsigned long long>(options.runs));
  return 0;
}
