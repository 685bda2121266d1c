# What must be on the machine: Debian packages from deploy/packages.txt.
.PHONY: deps
deps:
	@deploy/make/install-packages deploy/packages.txt
