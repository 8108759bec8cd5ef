# Sourced by lint.sh and format.sh: the pinned clang tools from PyPI, in build/clang. The distributions' versions
# format differently from each other.
clang_tools=build/clang/bin
if ! cmp -s scripts/clang-requirements.txt build/clang/requirements.txt; then
  python3 -m venv --clear build/clang
  build/clang/bin/pip install --quiet --disable-pip-version-check -r scripts/clang-requirements.txt
  cp scripts/clang-requirements.txt build/clang/requirements.txt
fi
cxx_files() { git ls-files --cached --others --exclude-standard -- 'csrc/*.cc' 'csrc/*.h'; }
