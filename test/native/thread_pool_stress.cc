// Drives the thread pool from several threads at once, with fewer and with far more parts than
// processors, with pauses long enough for workers to fall asleep, and in a forked child. Run by
// hand under ThreadSanitizer (node cannot be):
//
//   g++ -std=gnu++20 -O1 -g -fsanitize=thread -Icsrc test/native/thread_pool_stress.cc
//       csrc/threads/thread_pool.cc csrc/cpu/processor.cc csrc/platform/{linux,posix}.cc
//       -o build/thread_pool_stress -lpthread
//   setarch -R build/thread_pool_stress 20
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <thread>
#include <vector>

#include "threads/thread_pool.h"

namespace {

constexpr size_t kMostParts = 600;  // more than the pool has workers

uint32_t Next(uint32_t* state) {
  *state = *state * 1664525 + 1013904223;
  return *state >> 8;
}

// Every part must run once, all of them before Run returns.
void RunJobs(uint32_t seed, size_t most_parts, int jobs) {
  std::vector<uint32_t> runs(kMostParts);
  for (int i = 0; i < jobs; ++i) {
    const size_t parts = Next(&seed) % 20 == 0 ? most_parts : 1 + Next(&seed) % 8;
    runs.assign(kMostParts, 0);
    graviton::ThreadPool::Get().Run(parts, [&](size_t part) { ++runs[part]; });
    for (size_t part = 0; part < kMostParts; ++part) {
      if (runs[part] != (part < parts ? 1u : 0u)) {
        std::fprintf(stderr, "part %zu of %zu ran %u times\n", part, parts, runs[part]);
        std::exit(1);
      }
    }
    if (Next(&seed) % 50 == 0) usleep(Next(&seed) % 300);
  }
}

void RunAtOnce(size_t callers, size_t most_parts, int jobs) {
  std::vector<std::thread> threads;
  for (size_t i = 0; i < callers; ++i) {
    threads.emplace_back([=] { RunJobs(static_cast<uint32_t>(i + 1), most_parts, jobs); });
  }
  for (std::thread& thread : threads) thread.join();
}

// The child has none of its parent's workers; it must neither wait for them nor inherit a held
// pool.
void RunInChild() {
  const pid_t child = fork();
  if (child == 0) {
    RunJobs(7, 12, 200);
    _exit(0);
  }
  int status = 0;
  waitpid(child, &status, 0);
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
    std::fprintf(stderr, "the forked child failed\n");
    std::exit(1);
  }
}

}  // namespace

int main(int argc, char** argv) {
  const int rounds = argc > 1 ? std::atoi(argv[1]) : 5;
  for (int round = 0; round < rounds; ++round) {
    RunAtOnce(1, 3, 2000);
    RunAtOnce(4, 17, 1000);
    RunAtOnce(2, round == 0 ? kMostParts : 40, 20);
#if !defined(__SANITIZE_THREAD__)  // which cannot start threads in a child
    RunInChild();
#endif
  }
  std::puts("every part of every job ran once");
}
