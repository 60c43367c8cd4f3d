#!/usr/bin/env bash
# Lay .gpu/ in the root of the checkout: what a GPU machine that has torch, and no registry, needs beside the code.
#   bash experiments/gpu/prepare.sh CIFAR_DIR [PICTURES_DIR]      from the root; PYTHON=python3.12 names the Python
# CIFAR_DIR holds train-*.parquet and test-*.parquet, PICTURES_DIR some JPEG files at any depth.
set -euo pipefail
cifar=${1:?give the folder of CIFAR-10\'s parquet files}
pictures=${2:-}
python=${PYTHON:-python3}
most_mb=${MOST_MB:-55} # of everything together
most_pictures=60

# Packages that CUDA images lack. All are pure Python, so that those fetched here run on the Python there.
packages='antlr4-python3-runtime|fvcore|hydra-core|hydra-joblib-launcher|hydra-submitit-launcher|iopath|omegaconf'
packages+='|portalocker|submitit|tabulate|termcolor|yacs'
mapfile -t pins < <(grep -oE "^($packages)==[^ ]+" requirements.lock)
rm -rf .gpu/site .gpu/data
mkdir -p .gpu/data/cifar10 .gpu/data/jpeg
"$python" -m pip install --quiet --no-deps --no-compile --target .gpu/site "${pins[@]}"
if find .gpu/site -name '*.so' | grep .; then
    echo "these are compiled, and of this Python alone: leave their package out" >&2
    exit 1
fi

cp "$cifar"/train-*.parquet "$cifar"/test-*.parquet .gpu/data/cifar10/
if [ -n "$pictures" ]; then
    find "$pictures" -iname '*.jp*g' -type f | sort | sed "${most_pictures}q" | while read -r picture; do
        cp "$picture" .gpu/data/jpeg/
    done
fi

# Records keep the commit, and .git does not travel.
code="senet_repro conf hydra_plugins pyproject.toml requirements.lock"
commit=$(git rev-list -1 HEAD -- $code)
git diff --quiet HEAD -- $code || commit="$commit-dirty"
echo "$commit" >.gpu/commit
cp experiments/gpu/environment.sh .gpu/
size_mb=$(du -sm .gpu | cut -f1)
echo ".gpu holds $size_mb MB"
[ "$size_mb" -le "$most_mb" ] || { echo "more than $most_mb MB: give fewer pictures, or MOST_MB" >&2; exit 1; }
