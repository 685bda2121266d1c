# What takes hours: SOAK=minutes bounds it, SOAK_ONLY=word runs a part.
.PHONY: soak
soak: root deps
	@$(MAKE) --no-print-directory $(JOBS) build
	@deploy/make/soak
