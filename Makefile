# Everything from a bare checkout: `make app` starts the explorer, `make test` runs the tests.
# The virtual environment is made once and again whenever requirements.txt changes.

PYTHON ?= python3
VENV   ?= .venv
PORT   ?= 8501
PYTEST_ARGS ?=

RUN   := $(VENV)/bin/python
STAMP := $(VENV)/.requirements-installed

.DEFAULT_GOAL := help
.PHONY: help install app test lint format types js lint-js types-js test-js atlas shipped-atlas bench-app bench-atlas \
        docs screenshots screenshots-check lowest newest bench-class bench-load bench-site bench-visitors clean

help:
	@echo "make app      start the explorer on http://localhost:$(PORT)  (PORT=... to change;"
	@echo "              NETWORKS=\"timm/vit_tiny_patch16_224 mine.json\": networks of yours beside ours)"
	@echo "make atlas PHOTOS=...   what each primitive is over your pictures, into ATLAS=atlas (and atlas.html)"
	@echo "make test     run all tests  (PYTEST_ARGS=... to narrow)"
	@echo "make lint     ruff check and format check;  make format  puts it right"
	@echo "make types    mypy"
	@echo "make js       the scripts: lint, types, unit tests  (needs Node 20 and npm; nothing else does)"
	@echo "make docs     the documentation site, strictly, into build/docs;  make screenshots  takes its pictures anew,"
	@echo "              make screenshots-check  says which of them look otherwise by now"
	@echo "make lowest, make newest   tests in a new environment at either end of what pyproject.toml allows"
	@echo "make bench-app  time an upload, a pin and an experiment in a real browser  (CLIPS=... for clips of yours)"
	@echo "make bench-load  what a first visit costs a browser: bytes and processor time"
	@echo "make bench-atlas  what the Primitives page costs over 50,000 photos  (ATLAS=... a whole atlas to repeat)"
	@echo "make bench-site  the explorer without a server: loading, camera, how far from Python  (PHOTOS=... ten of yours)"
	@echo "make bench-class  ten browser sessions go through the lesson at once: times and memory"
	@echo "make bench-visitors  thirty visitors without browsers upload at once  (SOAK=60: an hour of them)"

$(STAMP): requirements.txt
	$(PYTHON) -m venv $(VENV)
	$(RUN) -m pip install --disable-pip-version-check --quiet -r requirements.txt
	@touch $@

install: $(STAMP)

app: $(STAMP)
	$(if $(NETWORKS),A2_NETWORKS='$(NETWORKS)') $(RUN) -m viz_app --server.port $(PORT)

# The atlas that lies beside the checkpoints. PHOTOS: a list of pictures that may be passed on; CREDITS: CSV files
# that say whose they are (docs/atlas.md).
SHIPPED_ATLAS = .cache/shipped-atlas
shipped-atlas: $(STAMP)
	for name in a2-lite0 a2-lite2; do \
		$(RUN) -m a2core atlas build $(PHOTOS) --out $(SHIPPED_ATLAS)/$$name --checkpoint $$name --size 256 || exit; \
	done
	$(RUN) -m a2core atlas slim $(SHIPPED_ATLAS)/a2-lite0 $(SHIPPED_ATLAS)/a2-lite2 --out checkpoints/atlas \
		$(foreach file,$(CREDITS),--credits $(file))

# Goes on where it was stopped. PHOTOS: folders, lists, tars, Parquet files; OPTIONS: of `atlas build`.
ATLAS ?= atlas
atlas: $(STAMP)
	@test -n "$(PHOTOS)" || { echo "Say which pictures: make atlas PHOTOS=FOLDER" >&2; exit 2; }
	$(RUN) -m a2core atlas build $(PHOTOS) --out $(ATLAS) $(OPTIONS)
	$(RUN) -m a2core atlas export $(ATLAS) --html $(ATLAS).html --exemplars 16

# Two processes, each of one thread: torch's threads wait for each other by spinning, and where more wants to
# run than there are cores, that costs twice the work.
test: export OMP_NUM_THREADS := 1
test: $(STAMP)
ifdef PYTEST_ARGS
	$(RUN) -m pytest $(PYTEST_ARGS)
else
	$(RUN) -m pytest -n 2 --dist loadfile --no-loadscope-reorder
endif

lint: $(STAMP)
	$(RUN) -m ruff check .
	$(RUN) -m ruff format --check .

format: $(STAMP)
	$(RUN) -m ruff check --fix .
	$(RUN) -m ruff format .

types: $(STAMP)
	$(RUN) -m mypy

screenshots: $(STAMP)
	$(RUN) docs/screenshots.py

screenshots-check: $(STAMP)
	$(RUN) docs/screenshots.py --check

# In a new environment, at the lowest and the newest of each dependency: gigabytes to fetch.
lowest newest: $(STAMP)
	$(RUN) tests/outside/bounds.py $@

docs: $(STAMP)
	$(RUN) -m mkdocs build --strict --quiet

# The scripts' tools, of the versions in package-lock.json.
node_modules/.installed: package.json package-lock.json
	npm ci --no-audit --no-fund --loglevel=error
	@touch $@

js: lint-js types-js test-js

lint-js: node_modules/.installed
	npm run --silent lint

types-js: node_modules/.installed
	npm run --silent types

test-js: node_modules/.installed
	npm run --silent test

bench-app: $(STAMP)
	$(RUN) -m tests.browser.bench_app $(CLIPS)

bench-atlas: $(STAMP)
	$(RUN) -m tests.browser.bench_atlas $(ATLAS)

bench-load: $(STAMP)
	$(RUN) -m tests.browser.bench_load

bench-site: $(STAMP) node_modules/.installed
	$(RUN) -m tests.browser.bench_site $(PHOTOS)

bench-class: $(STAMP)
	$(RUN) -m tests.browser.bench_class

bench-visitors: $(STAMP)
	$(RUN) -m tests.load.bench_visitors $(if $(SOAK),--soak $(SOAK))

clean:
	rm -rf $(VENV) node_modules .pytest_cache .ruff_cache .mypy_cache .hypothesis
