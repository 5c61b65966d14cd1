// Drives the fuzz target where the compiler has no libFuzzer, with the options of libFuzzer.
//
//   geoinfluencer_fuzz FILE...                                    each file is one input
//   geoinfluencer_fuzz [-max_total_time=S] [-seed=N] [-runs=R]    random inputs, until either ends
//
// An input that fails is kept as crash-SEED-RUN in the current folder.
#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <vector>

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/common_interface_defs.h>
#endif

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

namespace {

std::vector<uint8_t> current;
unsigned long long seed = 1, run = 0;

void keep_input() {
  if (current.empty()) return;
  char name[64];
  std::snprintf(name, sizeof name, "crash-%llu-%llu", seed, run);
  if (std::FILE* file = std::fopen(name, "wb")) {
    std::fwrite(current.data(), 1, current.size(), file);
    std::fclose(file);
    std::fprintf(stderr, "fuzz: the input is in %s\n", name);
  }
  current.clear();
}

void on_signal(int signal) {
  keep_input();
  std::signal(signal, SIG_DFL);
  std::raise(signal);
}

int replay(int count, char** names) {
  for (int i = 0; i < count; ++i) {
    std::ifstream file(names[i], std::ios::binary);
    if (!file) {
      std::fprintf(stderr, "fuzz: cannot read %s\n", names[i]);
      return 2;
    }
    const std::vector<char> bytes((std::istreambuf_iterator<char>(file)), {});
    LLVMFuzzerTestOneInput(reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size());
  }
  std::printf("fuzz: %d files, nothing found\n", count);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  double seconds = 10;
  unsigned long long runs = ~0ull;
  if (argc > 1 && argv[1][0] != '-') return replay(argc - 1, argv + 1);
  for (int i = 1; i < argc; ++i) {
    const std::string option = argv[i];
    const size_t equals = option.find('=');
    const std::string name = option.substr(0, equals);
    const char* value = equals == std::string::npos ? "" : argv[i] + equals + 1;
    if (name == "-max_total_time") {
      seconds = std::atof(value);
    } else if (name == "-seed") {
      seed = std::strtoull(value, nullptr, 10);
    } else if (name == "-runs") {
      runs = std::strtoull(value, nullptr, 10);
    } else {
      std::fprintf(stderr, "fuzz: unknown option %s\n", argv[i]);
      return 2;
    }
  }
  std::signal(SIGABRT, on_signal);
#if defined(__SANITIZE_ADDRESS__)
  __sanitizer_set_death_callback(keep_input);
#else
  std::signal(SIGSEGV, on_signal);
#endif
  const auto start = std::chrono::steady_clock::now();
  const auto elapsed = [&] {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  };
  for (; run < runs && elapsed() < seconds; ++run) {
    std::mt19937_64 random(seed * 0x9e3779b97f4a7c15u + run);
    current.resize(8 + random() % 60);
    for (uint8_t& byte : current) byte = static_cast<uint8_t>(random());
    LLVMFuzzerTestOneInput(current.data(), current.size());
  }
  current.clear();
  std::printf("fuzz: %llu inputs of seed %llu in %.0f s, nothing found\n", run, seed, elapsed());
  return 0;
}
