# Sourced on the GPU machine, in the root of the copied checkout: `. .gpu/environment.sh`
export PYTHONPATH="$PWD:$PWD/.gpu/site"
export SENET_REPRO_COMMIT="$(cat .gpu/commit)"
# Every process that trains on the GPU has one thread for its host's work.
export OMP_NUM_THREADS=1
: "${OUT:=out}" # the folder that is brought home
mkdir -p "$OUT"

# Put the records into $OUT, and what unfinished runs go on from, in files that are small enough to be brought home:
# `pack_runs runs`
pack_runs() {
    rm -f "$OUT"/state.tar.*
    tar -czf "$OUT/records.tar.gz" --exclude=checkpoints --exclude=lock --exclude=.cache -C "$1" .
    (
        cd "$1"
        for run in */seed*/; do
            [ -e "$run/record.json" ] || [ ! -e "$run/checkpoints/last.ckpt" ] || echo "$run"
        done
    ) | tar -cf - --exclude=previous.ckpt --exclude=lock -C "$1" -T - | split -b 15M - "$OUT/state.tar."
    ls -l "$OUT"
}

# Lay back what `pack_runs` put into a folder, here or at home: `unpack_runs FOLDER runs`
unpack_runs() {
    mkdir -p "$2"
    tar -xzf "$1/records.tar.gz" -C "$2"
    cat "$1"/state.tar.* | tar -xf - -C "$2"
}
