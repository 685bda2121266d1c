# Tandem: one non-recursive Makefile. Each room says in its room.mk what it
# is made of and which rooms it may use; this file knows how.
#
#   make            installs what the build needs, builds everything
#   make run        the duplex lab, in front, until Ctrl-C
#   make check      every test, in its short form
#   VARIANT=gcc|clang|asan    the tool chain (asan: clang with ASan and UBSan)

MAKEFLAGS += --no-builtin-rules
SHELL := /bin/bash
.SUFFIXES:
.SECONDEXPANSION:
.DELETE_ON_ERROR:

VARIANT ?= gcc
B := build/$(VARIANT)

ifeq ($(VARIANT),gcc)
CC := gcc
else ifeq ($(VARIANT),clang)
CC := clang
else ifeq ($(VARIANT),asan)
CC := clang
SAN := -fsanitize=address,undefined -fno-sanitize-recover=undefined \
       -fno-omit-frame-pointer
else
$(error VARIANT=$(VARIANT): say gcc, clang or asan)
endif

V ?= 0
Q := $(if $(filter 0,$V),@)
say = $(if $(filter 0,$V),@echo '  $1')

WARN := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes \
	-Wno-unused-parameter -Wno-missing-field-initializers -Werror
CFLAGS ?= -O2 -g
TD_CFLAGS := -std=gnu17 $(WARN) -I. -I$(B) -D_GNU_SOURCE -fno-common \
	-fvisibility=default -pthread $(SAN)
TD_LDFLAGS := -pthread $(SAN) -Wl,--as-needed

.DEFAULT_GOAL := all

# room.mk contract:
#   ROOMS += name
#   name_SRCS := files.c          name_USES := rooms it may use (direct)
#   name_PKGS := pkg-config names name_LIBS := -lfoo (no .pc file)
#   PROGRAMS += prog              prog_SRCS, prog_USES, prog_PKGS, prog_LIBS
ROOMS :=
PROGRAMS :=
PHONY_PARTS :=
include $(sort $(wildcard */room.mk */*/room.mk))

# transitive closure of a room's USES, users before used (link order)
uniq = $(if $1,$(call uniq,$(filter-out $(lastword $1),$1)) $(lastword $1))
deps = $(foreach u,$($1_USES),$u $(call deps,$u))
closure = $(strip $(call uniq,$1 $(call deps,$1)))
objs = $(patsubst %.c,$(B)/%.o,$(patsubst $(B)/%,%,$1))
pkgs = $(sort $(foreach r,$1,$($r_PKGS)))
libs = $(sort $(foreach r,$1,$($r_LIBS)))
pkg-libs = $(if $(call pkgs,$1),$$(pkg-config --libs $(call pkgs,$1)))
pkg-cflags = $(if $(call pkgs,$1),$$(pkg-config --cflags $(call pkgs,$1)))
rooms-of = $(foreach r,$(call closure,$1),$(if $(filter $r,$(ROOMS)),$r))

.PHONY: all build
# as many jobs as processors, unless the caller said how many
JOBS = $(if $(filter -j% --jobserver%,$(MAKEFLAGS)),,-j$(shell nproc))
all: deps
	@$(MAKE) --no-print-directory $(JOBS) build

# generated protobuf code
PROTOS := $(wildcard proto/*.proto)
PROTO_H := $(patsubst %.proto,$(B)/%.pb-c.h,$(PROTOS))
$(B)/proto/%.pb-c.c $(B)/proto/%.pb-c.h: proto/%.proto
	@mkdir -p $(@D)
	$(call say,PROTOC $<)
	$(Q)protoc-c --proto_path=proto --c_out=$(B)/proto $<
$(B)/proto/%.pb-c.o: $(B)/proto/%.pb-c.c
	@mkdir -p $(@D)
	$(call say,CC $<)
	$(Q)$(CC) $(CFLAGS) $(TD_CFLAGS) -w -MMD -MP -c $< -o $@

define room_rules
$1_OBJS := $(call objs,$($1_SRCS))
$$($1_OBJS): ROOM := $1
$(B)/lib$1.a: $$($1_OBJS)
	@mkdir -p $$(@D); rm -f $$@
	$$(call say,AR $$@)
	$$(Q)$$(AR) rcs $$@ $$^
ALL_LIBS += $(B)/lib$1.a
endef
$(foreach r,$(ROOMS),$(eval $(call room_rules,$r)))

define program_rules
$1_OBJS := $(call objs,$($1_SRCS))
$$($1_OBJS): ROOM := $1
$(B)/bin/$1: $$($1_OBJS) $(foreach r,$(call rooms-of,$1),$(B)/lib$r.a)
	@mkdir -p $$(@D)
	$$(call say,LD $$@)
	$$(Q)$$(CC) $$(TD_LDFLAGS) -o $$@ $$($1_OBJS) -Wl,--start-group \
	  $(foreach r,$(call rooms-of,$1),$(B)/lib$r.a) -Wl,--end-group \
	  $$(call pkg-libs,$$(call closure,$1)) $$(call libs,$$(call closure,$1)) -lm
ALL_BINS += $(B)/bin/$1
endef
$(foreach p,$(PROGRAMS),$(eval $(call program_rules,$p)))

$(B)/%.o: %.c | $(PROTO_H)
	@mkdir -p $(@D)
	$(call say,CC $<)
	$(Q)$(CC) $(CFLAGS) $(TD_CFLAGS) $(call pkg-cflags,$(call closure,$(ROOM))) \
	  $($(ROOM)_CFLAGS) -MMD -MP -c $< -o $@

# unit tests: tests/unit/<room>/test_<module>.c links that room and what the
# room may use, nothing else. <room>_TEST_USES adds rooms for its tests only.
UNIT_SRCS := $(wildcard tests/unit/*/test_*.c)
UNIT_BINS := $(patsubst %.c,$(B)/%,$(UNIT_SRCS))
unit-room = $(word 3,$(subst /, ,$(patsubst $(B)/%,%,$1)))
unit-rooms = $(sort $(call rooms-of,$(call unit-room,$1)) \
	$(foreach u,$($(call unit-room,$1)_TEST_USES),$(call rooms-of,$u)))
$(UNIT_BINS): $(B)/%: %.c $$(foreach r,$$(call unit-rooms,$$@),$(B)/lib$$r.a) \
		| $(PROTO_H)
	@mkdir -p $(@D)
	$(call say,TEST $<)
	$(Q)$(CC) $(CFLAGS) $(TD_CFLAGS) -Itests/unit -MMD -MP -MF $@.d \
	  $(call pkg-cflags,$(call unit-rooms,$@)) $< \
	  -o $@ $(TD_LDFLAGS) -Wl,--start-group \
	  $(foreach r,$(call unit-rooms,$@),$(B)/lib$r.a) -Wl,--end-group \
	  $(call pkg-libs,$(call unit-rooms,$@)) \
	  $(call libs,$(call unit-rooms,$@)) -lcmocka -lm

build: $(ALL_LIBS) $(ALL_BINS)
.PHONY: unit-build
unit-build: $(UNIT_BINS)

include deploy/make/install.mk
include deploy/make/check.mk
include deploy/make/run.mk
include deploy/make/sim.mk
include deploy/make/soak.mk

clean:
	rm -rf build
.PHONY: clean

-include $(shell test -d $(B) && find $(B) -name '*.d')
