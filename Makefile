# A thin front for CMake's presets. `make demo` and `make test` work on a fresh Debian 12: they install the packages that are
# missing (with apt-get; through sudo, if not root) and build what they need.

BUILD := build/release
PREFIX ?= /usr/local
JOBS ?= $(shell nproc)
# Changed C++ files are those that differ from this commit, in `make lint` and `make format-check`.
SINCE ?= HEAD

BUILD_PACKAGES := g++ cmake ninja-build pkg-config ccache libvips-dev libpng-dev libavif-dev libdav1d-dev libicu-dev libpcre2-dev libsimdjson-dev \
  nlohmann-json3-dev libxxhash-dev libsqlite3-dev libcurl4-openssl-dev libssl-dev libarchive-dev libyaml-cpp-dev libeigen3-dev
# A sheet's captions need fonts: Latin and Hangul.
DEMO_PACKAGES := $(BUILD_PACKAGES) fonts-dejavu-core fonts-nanum
# moa export is built where these are.
EXPORT_PACKAGES := libonnx-dev libprotobuf-dev
# What trains is built where these are; Debian's libtorch is slow without that OpenBLAS.
TRAIN_PACKAGES := libtorch-dev libopenblas0-pthread
TEST_PACKAGES := $(DEMO_PACKAGES) $(EXPORT_PACKAGES) $(TRAIN_PACKAGES) libgtest-dev python3
BENCH_PACKAGES := $(DEMO_PACKAGES) libdnnl-dev python3-venv
LINT_PACKAGES := $(TEST_PACKAGES) git clang clang-format clang-tidy

# Installs those of $(1) that are missing; silent when there is nothing to do.
define install
@missing=""; for package in $(1); do \
  dpkg-query -W -f '$${Status}' $$package 2>/dev/null | grep -q 'ok installed' || missing="$$missing $$package"; \
done; \
if [ -n "$$missing" ]; then \
  echo "installing:$$missing"; \
  as_root=""; if [ "$$(id -u)" != 0 ]; then as_root=sudo; fi; \
  $$as_root apt-get update -qq && \
  $$as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $$missing >/dev/null; \
fi
endef

.PHONY: help deps build demo test bench fuzz format format-check lint install clean

help:
	@echo "make demo                search the bundled pictures in English and Korean; draws a contact sheet"
	@echo "make build               build $(BUILD)/moa"
	@echo "make test                build everything and run every test"
	@echo "make bench               measure"
	@echo "make fuzz SECONDS=60     run every fuzz target"
	@echo "make format              format the C++ files"
	@echo "make lint [SINCE=REV]    clang-tidy on what changed since REV (SINCE= : on everything)"
	@echo "make install [PREFIX=…]  install the command, the library and the bundled model"
	@echo "make deps                install the Debian packages that are missing"
	@echo "make clean               remove build/"

deps:
	$(call install,$(LINT_PACKAGES))

build:
	$(call install,$(DEMO_PACKAGES))
	cmake --preset release -DMOA_BUILD_TESTS=OFF -DMOA_BUILD_BENCHMARKS=OFF
	cmake --build $(BUILD) -j $(JOBS)

demo: build
	@$(BUILD)/moa search demo "a dog" "풍경과 산이 있는 사진" --sheet build/demo-sheet.png
	@echo "The contact sheet: build/demo-sheet.png"

test:
	$(call install,$(TEST_PACKAGES))
	cmake --preset release -DMOA_BUILD_TESTS=ON
	cmake --build $(BUILD) -j $(JOBS)
	ctest --preset release -j $(JOBS)

bench:
	$(call install,$(BENCH_PACKAGES))
	cmake --preset release -DMOA_BUILD_BENCHMARKS=ON
	cmake --build $(BUILD) -j $(JOBS)
	bench/run $(BUILD)

SECONDS ?= 60
fuzz:
	$(call install,$(LINT_PACKAGES))
	fuzz/run $(SECONDS)

format:
	$(call install,clang-format git)
	@git ls-files '*.cpp' '*.hpp' | xargs clang-format -i

# Both look at what differs from $(SINCE), or at everything if that is empty.
CHANGED = $(if $(SINCE),git diff --name-only --diff-filter=d $(SINCE) --,git ls-files)

format-check:
	$(call install,clang-format git)
	@$(CHANGED) '*.cpp' '*.hpp' | xargs -r clang-format --dry-run --Werror

# clang 14 does not understand libtorch 1.13's headers as C++20.
LIBTORCH_SOURCES := src/backends/torch src/train/component

lint:
	$(call install,$(LINT_PACKAGES))
	@cmake --preset release -DMOA_BUILD_TESTS=ON >/dev/null
	@$(CHANGED) 'src/*.cpp' $(LIBTORCH_SOURCES:%=':!%') | xargs -r -n 1 -P $(JOBS) \
	  clang-tidy --quiet -p $(BUILD) --extra-arg=-Wno-unknown-warning-option  # GCC's own options are strange to it

install: build
	cmake --install $(BUILD) --prefix $(PREFIX)

clean:
	rm -rf build
