# Daybook: `make run` starts it, `make test` tries it, `make help` lists the rest.

CARGO ?= cargo
PREFIX ?= /usr/local
DESTDIR ?=

.DEFAULT_GOAL := help
.PHONY: help run build test test-packages test-system system-packages check format lint docs bench coverage dist install uninstall clean

help: ## List what can be made
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: ## Build Daybook and start it with its defaults, the book in ./data
	$(CARGO) run --release --locked -- serve

build: ## Build the release binary
	$(CARGO) build --release --locked

test: test-packages ## Run all tests that need no special rights
	$(CARGO) test --locked

# What the tests use beside cargo, as command:package. As root it is installed, visibly; as anybody else it is said.
TEST_PACKAGES := curl:curl sqlite3:sqlite3 python3:python3 node:nodejs npm:npm chromium:chromium
test-packages:
	@missing=""; \
	for one in $(TEST_PACKAGES); do command -v $${one%:*} >/dev/null || missing="$$missing $${one#*:}"; done; \
	if [ -z "$$missing" ]; then exit 0; fi; \
	if [ "$$(id -u)" != 0 ]; then \
		echo "The tests need:$$missing. Install them with:" >&2; \
		echo "  sudo apt-get install -y --no-install-recommends$$missing" >&2; exit 1; \
	fi; \
	set -x; apt-get update && apt-get install -y --no-install-recommends $$missing

test-system: system-packages ## Run the tests that need root: injected faults, full disks, power cuts, clocks, networks
	$(CARGO) test --locked --features system-tests --test system -- --nocapture --test-threads=1

SYSTEM_PACKAGES := strace xfsprogs faketime rsyslog logrotate iproute2 dbus avahi-daemon avahi-utils python3-zeroconf
system-packages:
	@if [ "$$(id -u)" != 0 ]; then echo "make test-system needs root" >&2; exit 1; fi
	@missing=""; \
	command -v strace >/dev/null || missing="$$missing strace"; \
	command -v xfs_io >/dev/null || missing="$$missing xfsprogs"; \
	command -v faketime >/dev/null || missing="$$missing faketime"; \
	command -v ip >/dev/null || missing="$$missing iproute2"; \
	command -v dbus-daemon >/dev/null || missing="$$missing dbus"; \
	command -v avahi-daemon >/dev/null || missing="$$missing avahi-daemon"; \
	command -v avahi-publish >/dev/null || missing="$$missing avahi-utils"; \
	/usr/bin/python3 -c 'import zeroconf' 2>/dev/null || missing="$$missing python3-zeroconf"; \
	command -v rsyslogd >/dev/null || missing="$$missing rsyslog"; \
	command -v logrotate >/dev/null || missing="$$missing logrotate"; \
	if [ -z "$$missing" ]; then exit 0; fi; \
	set -x; apt-get update && apt-get install -y --no-install-recommends $$missing

check: format lint docs test ## The whole gate: format, lint, docs, tests, and the system tests where they can run
	@if [ "$$(id -u)" = 0 ]; then $(MAKE) test-system; \
	else echo "SKIPPED: make test-system needs root"; fi

format:
	$(CARGO) fmt --check

lint:
	$(CARGO) clippy --locked --all-targets --all-features -- -D warnings

docs:
	RUSTDOCFLAGS="-D warnings" $(CARGO) doc --locked --no-deps --quiet

bench: ## Measure, side by side with what we compare to (takes a while)
	$(CARGO) bench --locked --bench daybook -- all

coverage: ## Lines of src/ that the tests run; installs cargo-tarpaulin if it is missing
	@command -v cargo-tarpaulin >/dev/null || (set -x; $(CARGO) install --locked cargo-tarpaulin)
	$(CARGO) tarpaulin --engine llvm --locked --include-files 'src/*' --out Stdout --skip-clean \
		--follow-exec --timeout 600 --target-dir target/coverage --fail-under 85

dist: ## Build the smallest and fastest binary (10 minutes on two cores)
	$(CARGO) build --profile dist --locked

install: build ## Install under PREFIX (/usr/local)
	install -D -m 0755 target/release/daybook $(DESTDIR)$(PREFIX)/bin/daybook
	install -D -m 0644 config/daybook.toml $(DESTDIR)$(PREFIX)/share/doc/daybook/daybook.toml
	install -D -m 0644 README.md $(DESTDIR)$(PREFIX)/share/doc/daybook/README.md

uninstall: ## Remove what install put there
	rm -f $(DESTDIR)$(PREFIX)/bin/daybook
	rm -rf $(DESTDIR)$(PREFIX)/share/doc/daybook

clean: ## Remove what was built; the book stays
	$(CARGO) clean
