# The front door. `make help` says what there is; the build itself is CMakeLists.txt.

BUILD    ?= build
CC_PLAIN ?= gcc
CLANG    ?= clang-14
PREFIX   ?= /usr/local
JOBS     ?= $(shell nproc)
# Tests at once: many of them wait for their servers most of the time.
TESTS    ?= $(shell expr $(JOBS) + 1)
SECONDS  ?= 60
WERROR   ?= ON

configure = cmake -S . -B $(1) -G Ninja --log-level=NOTICE -DROWFERRY_WERROR=$(WERROR) $(2)
ASAN_PROGRAM = $(abspath $(BUILD))/asan/rowferry
plain_options = -DCMAKE_C_COMPILER=$(CC_PLAIN) -DCMAKE_INSTALL_PREFIX=$(PREFIX) \
    -DROWFERRY_ASAN_BINARY=$(ASAN_PROGRAM)
asan_options = -DCMAKE_C_COMPILER=$(CLANG) -DROWFERRY_SANITIZE=address
tsan_options = -DCMAKE_C_COMPILER=$(CLANG) -DROWFERRY_SANITIZE=thread

# When the source is from, for what carries a date: two builds of one commit are the same to the byte.
export SOURCE_DATE_EPOCH ?= $(shell git log -1 --format=%ct 2>/dev/null || stat -c %Y CMakeLists.txt)

.PHONY: all help packages demo check check-full check-build bench fuzz format tidy install uninstall package \
    clean

all: ## build build/rowferry and the programs of build/bin; installs nothing
	@tools/packages build --query || { echo "Or let 'make packages' do it, as root."; exit 1; }
	@$(call configure,$(BUILD),$(plain_options)) >/dev/null
	@ninja -C $(BUILD) rowferry programs

help: ## what there is
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/make \1\t\2/p' Makefile | expand -t 18
	@echo
	@echo "Settings: JOBS=$(JOBS) TESTS=$(TESTS) PREFIX=$(PREFIX) DESTDIR= SECONDS=$(SECONDS) (of fuzzing) WERROR=$(WERROR)"

packages: ## install what a build needs (as root), or say how
	@tools/packages build

demo: ## the whole thing, live, in about a minute; leaves nothing running
	@tools/packages demo
	@$(MAKE) --no-print-directory all
	@tools/demo

check: ## everything that must hold: compilers, house rules, all tests (stories at 1/20 of their rows)
	@tools/packages check
	@$(MAKE) --no-print-directory check-build tidy
	@ROWFERRY_SCALE=$${ROWFERRY_SCALE:-20} ctest --test-dir $(BUILD)/check -L '^check$$' \
	    -j $(TESTS) --output-on-failure --no-tests=error

check-full: ## the same with the stories at full size
	@ROWFERRY_SCALE=1 $(MAKE) --no-print-directory check

check-build:
	@$(call configure,$(BUILD),$(plain_options)) >/dev/null
	@$(call configure,$(BUILD)/asan,$(asan_options)) >/dev/null
	@$(call configure,$(BUILD)/tsan,$(tsan_options)) >/dev/null
	@echo "Building with $(CC_PLAIN)"
	@ninja -C $(BUILD) all check_tests
	@echo "Building with $(CLANG), ASan and UBSan"
	@ninja -C $(BUILD)/asan check_tests
	@echo "Building with $(CLANG), TSan"
	@ninja -C $(BUILD)/tsan check_tests
	@mkdir -p $(BUILD)/check
	@printf 'subdirs("%s" "%s" "%s")\n' $(abspath $(BUILD)/asan) $(abspath $(BUILD)/tsan) \
	    $(abspath $(BUILD)) > $(BUILD)/check/CTestTestfile.cmake

bench: ## the benchmark table
	@tools/packages bench
	@$(MAKE) --no-print-directory all
	@bench/run

fuzz: ## every fuzz target for SECONDS seconds
	@tools/packages check
	@$(call configure,$(BUILD)/fuzz,$(asan_options) -DROWFERRY_FUZZ=ON) >/dev/null
	@ninja -C $(BUILD)/fuzz
	@tools/fuzz $(BUILD)/fuzz $(SECONDS)

format: ## lay out all C files as .clang-format says
	@tools/packages check
	@git ls-files -co --exclude-standard '*.c' '*.h' | xargs -r clang-format-14 -i

tidy: ## the house rules
	@tools/packages check
	@tools/tidy

install: all ## all of it to PREFIX (and DESTDIR): programs, manual pages, unit, completions
	@ninja -C $(BUILD) install_files
	@umask 022 && cmake --install $(BUILD) --prefix $(PREFIX)

uninstall: all ## remove from PREFIX (and DESTDIR) what install puts there; state and configuration stay
	@ninja -C $(BUILD) install_files
	@tools/uninstall $(BUILD) $(PREFIX)

package: all ## a Debian package, in build/package
	@tools/packages package
	@ninja -C $(BUILD) install_files
	@umask 022 && cd $(BUILD) && cpack --config CPackConfig.cmake >package.log || { cat package.log; exit 1; }
	@ls $(BUILD)/package/*.deb

clean: ## remove everything that was built
	@rm -rf $(BUILD)
