# What must be on the machine: Debian packages from deploy/packages.txt.
.PHONY: deps
deps:
	@deploy/make/install-packages deploy/packages.txt

# make install DESTDIR=… PREFIX=/usr
PREFIX ?= /usr/local
DAEMONS := tandemd tandem-spand spanctl
.PHONY: install
install: build
	install -d $(DESTDIR)$(PREFIX)/sbin $(DESTDIR)$(PREFIX)/bin \
		$(DESTDIR)$(PREFIX)/share/man/man1 \
		$(DESTDIR)$(PREFIX)/share/doc/tandem/examples
	install -m 755 $(addprefix $(B)/bin/,$(DAEMONS)) \
		$(DESTDIR)$(PREFIX)/sbin
	install -m 755 $(B)/bin/tandem $(DESTDIR)$(PREFIX)/bin
	$(B)/bin/tandem help --man \
		>$(DESTDIR)$(PREFIX)/share/man/man1/tandem.1
	install -m 644 deploy/lab/duplex/site.yaml \
		deploy/lab/duplex/n1/etc/tandem/node.yaml \
		deploy/lab/duplex/n1/etc/tandem/spand.conf \
		deploy/lab/duplex/shared/etc/tandem/corosync.conf \
		$(DESTDIR)$(PREFIX)/share/doc/tandem/examples
