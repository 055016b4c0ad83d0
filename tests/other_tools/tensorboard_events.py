"""Event files read by TensorBoard's own reader, against the figures that a run keeps."""
import json
import os
import pathlib
import tempfile

from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from runs import data, elbo, train

SIZES = {"scalars": 0, "images": 0}


def read(folder):
    board = EventAccumulator(str(folder), size_guidance=SIZES)
    board.Reload()
    return board


def lines(path):
    return [json.loads(line) for line in pathlib.Path(path).read_text().splitlines()]


def main():
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        data(folder)
        train(folder, "run", "grey.npy", "--latent", "2", "--hidden", "8", "--log-every", "1", "--tensorboard")
        elbo(folder, "train", "--resume", "run", "--device", "cpu", "--threads", "1", "--quiet", "--epochs", "3")
        board = read("run/tensorboard")
        steps = {event.step: event.value for event in board.Scalars("step/loss")}
        kept = {line["step"]: line["loss"] for line in lines("run/steps.jsonl")}
        assert steps.keys() == kept.keys() and len(kept) > 3, (steps, kept)
        far = max(abs(steps[step] - kept[step]) / abs(kept[step]) for step in kept)
        for split in ("train", "validation", "test"):
            found = [event.value for event in board.Scalars(f"elbo/{split}")]
            expected = [line["elbo"] for line in lines("run/metrics.jsonl") if line["split"] == split]
            assert len(found) == len(expected) == 3, split
            far = max(far, max(abs(a - b) / abs(b) for a, b in zip(found, expected)))
        assert far < 1e-6, far
        pictures = board.Tags()["images"]
        assert "pictures/samples" in pictures and board.Images("pictures/samples")[0].width > 100, pictures
        # A file that was cut off anywhere is read up to there.
        [first, *_] = sorted(pathlib.Path("run/tensorboard").iterdir())
        cut = pathlib.Path("cut")
        cut.mkdir()
        whole = first.read_bytes()
        (cut / first.name).write_bytes(whole[:len(whole) // 8])
        assert read(cut).Scalars("step/loss"), "nothing of what stands before the cut"
        os.chdir("/")
    print(f"TensorBoard: {len(steps)} steps and 3 epochs, the largest relative difference is {far:.1e}; pictures {', '.join(pictures)}")


main()
