{
  "targets": [
    {
      "target_name": "graviton",
      "sources": ["<!@(node scripts/list-sources.js)"],
      "include_dirs": [
        "csrc",
        "<!(node -p \"require('node-addon-api').include_dir\")",
        "<!(node -p \"require('path').relative('.', require('node-api-headers').include_dir)\")"
      ],
      "defines": ["NAPI_VERSION=8", "NAPI_DISABLE_CPP_EXCEPTIONS", "NODE_ADDON_API_DISABLE_DEPRECATED", "NODE_API_SWALLOW_UNTHROWABLE_EXCEPTIONS"],
      "cflags!": ["-fno-omit-frame-pointer", "-O2", "-O3"],
      "cflags_cc!": ["-std=gnu++17"],
      "cflags_cc": [
        "-std=gnu++20",
        "-O3",
        "-fno-exceptions",
        "-fno-rtti",
        "-fno-math-errno",
        "-fno-trapping-math",
        "-ffp-contract=fast",
        "-fvisibility=hidden",
        "-Wall",
        "-Wextra",
        "-Wno-psabi"
      ],
      "ldflags": ["-Wl,-z,now", "-Wl,-z,nodelete", "-Wl,--gc-sections", "-Wl,--exclude-libs,ALL", "-static-libgcc"],
      "conditions": [
        ["OS=='linux'", {
          # Scheduling before register allocation is off on x86 by default; on arm64 it makes g++ spill
          # the 24 accumulators of a GEMM tile.
          "cflags_cc": ["-fno-schedule-insns"]
        }],
        ["OS=='mac'", {
          "xcode_settings": {
            "CLANG_CXX_LANGUAGE_STANDARD": "gnu++20",
            "GCC_ENABLE_CPP_EXCEPTIONS": "NO",
            "GCC_OPTIMIZATION_LEVEL": "3",
            "MACOSX_DEPLOYMENT_TARGET": "11.0"
          }
        }]
      ]
    }
  ]
}
