"""Progress, interruption, labels, weights, and threads."""

import json
import os
import signal
import subprocess
import sys
import threading
import time

import numpy as np
import pytest
from conftest import SETTINGS, small


def test_every_epoch_is_told(digits):
    seen = []
    vae = small(callback=seen.append).fit(digits[0])
    assert [record["epoch"] for record in seen] == [1, 2, 3]
    assert seen == vae.history_
    first = seen[0]["train"]
    assert first["elbo"] == pytest.approx(-(first["reconstruction"] + first["kl"]), rel=1e-5)
    assert seen[0]["validation"] is None


def test_a_callback_ends_the_training(digits):
    vae = small(epochs=50, callback=lambda record: record["epoch"] == 2).fit(digits[0])
    assert len(vae.history_) == 2
    whole = small(epochs=50).fit(digits[0])
    assert len(whole.history_) == 50


def test_what_a_callback_raises_comes_out_and_the_model_is_kept(digits):
    def fail(record):
        raise LookupError("no")

    vae = small(epochs=50, callback=fail)
    with pytest.raises(LookupError, match="no"):
        vae.fit(digits[0])
    assert vae.transform(digits[0]).shape == (500, 2)
    assert len(vae.history_) == 1


def test_a_line_says_how_far_it_is(digits, capsys):
    small(verbose=True).fit(digits[0])
    said = capsys.readouterr()
    assert said.out == ""
    assert "epoch 1/3, train loss" in said.err
    assert said.err.endswith("\n")
    assert said.err.count("\n") == 1
    small().fit(digits[0])
    assert capsys.readouterr().err == ""


def test_the_line_ends_wherever_the_training_does(digits, capsys):
    small(verbose=True, epochs=50, callback=lambda record: record["epoch"] == 2).fit(digits[0])
    said = capsys.readouterr().err
    assert "epoch 2/50" in said
    assert (said.count("\n"), said[-1]) == (1, "\n")

    def fail(record):
        raise LookupError("no")

    with pytest.raises(LookupError):
        small(verbose=True, epochs=50, callback=fail).fit(digits[0])
    assert capsys.readouterr().err.endswith("\n")


def test_epochs_that_come_again_are_kept_once():
    vae = small()
    vae.history_ = []
    look = vae._watch()
    for epoch, loss in [(1, 9), (2, 8), (3, 7), (2, 6), (3, 5)]:
        look(json.dumps({"epoch": epoch, "loss": loss}))
    assert [(record["epoch"], record["loss"]) for record in vae.history_] == [(1, 9), (2, 6), (3, 5)]


def test_an_interrupt_ends_a_fit_within_an_epoch(digits):
    # One epoch that would take minutes.
    X = np.tile(digits[0], (200, 1)).astype("f4")
    vae = small(epochs=1, batch=1)
    timer = threading.Timer(1.0, os.kill, (os.getpid(), signal.SIGINT))
    timer.start()
    with pytest.raises(KeyboardInterrupt):
        vae.fit(X)
    timer.join()
    assert vae.history_ == []
    assert np.isfinite(vae.transform(digits[0])).all()
    # The next fit is not disturbed.
    assert len(small().fit(digits[0]).history_) == 3


def test_a_program_that_is_interrupted_dies_of_it():
    code = f"""
import numpy as np, elbo
print("begun", flush=True)
elbo.VAE(**{ {**SETTINGS, "epochs": 1_000_000}!r}).fit(np.random.default_rng(0).uniform(size=(1000, 64)))
"""
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "begun\n"
    time.sleep(2)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=60)
    assert process.returncode in (-signal.SIGINT, 1, 130)
    assert "KeyboardInterrupt" in said
    assert "panic" not in said


def test_other_threads_run_meanwhile(digits):
    X = np.tile(digits[0], (20, 1))
    counts, done = [0], threading.Event()

    def count():
        while not done.is_set():
            counts[0] += 1
            time.sleep(0.001)

    thread = threading.Thread(target=count)
    vae = small(epochs=4)
    thread.start()
    before = counts[0]
    vae.fit(X)
    during = counts[0] - before
    done.set()
    thread.join()
    assert during > 20


def test_a_model_tells_of_itself_while_it_computes(vae, digits):
    done = threading.Event()

    def work():
        vae.log_likelihood(digits[0], samples=2000)
        done.set()

    thread = threading.Thread(target=work)
    thread.start()
    told = 0
    while not done.is_set():
        model = vae.model_
        about = (model.latent, model.sides, model.parameters, model.device, model.condition, model.classes, model.takes_gaps, model.settings)
        assert about[:2] == (2, [64])
        told += 1
        time.sleep(0.001)
    thread.join()
    # Were one of them to wait for the computation, it would be told once.
    assert told > 20


def test_one_model_serves_several_threads(vae, digits):
    expected = vae.transform(digits[0])
    found = [None] * 4

    def work(i):
        found[i] = [vae.transform(digits[0]) for _ in range(5)]

    threads = [threading.Thread(target=work, args=(i,)) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for codes in sum(found, []):
        np.testing.assert_array_equal(codes, expected)


def test_classes_are_told(digits):
    X, y = digits
    names = np.array(["even", "odd"])[y % 2]
    vae = small(model="cvae", likelihood="bernoulli", epochs=30).fit(X, names)
    assert vae.classes_.tolist() == ["even", "odd"]
    new = vae.sample(y=["odd", "even", "odd"])
    assert new.shape == (3, 64)
    assert vae.transform(X, names).shape == (500, 2)
    assert not np.allclose(vae.transform(X, names), vae.transform(X, names[::-1]))
    assert np.isfinite(vae.score(X, names))
    with pytest.raises(ValueError, match="y holds prime, and the model was trained with even, odd"):
        vae.sample(y=["prime"])
    with pytest.raises(ValueError, match="2 values of condition with every row"):
        vae.transform(X)
    with pytest.raises(ValueError, match="2 values of condition with every row"):
        vae.sample(3)
    with pytest.raises(ValueError, match="y is None"):
        small(model="cvae").fit(X)
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        small(model="cvae").fit(X, names[:10])


def test_numbers_are_told(digits):
    X, y = digits
    vae = small(model="cvae", condition="vectors").fit(X, np.stack([y / 9, 1 - y / 9], axis=1))
    assert vae.sample(y=[[0.5, 0.5]]).shape == (1, 64)
    assert not hasattr(vae, "classes_")


def test_classes_are_those_of_the_last_fit(digits):
    X, y = digits
    vae = small(model="cvae", epochs=1).fit(X, y)
    assert vae.classes_.tolist() == list(range(10))
    vae.set_params(model="vae").fit(X, y)
    assert not hasattr(vae, "classes_")


def test_classes_are_learnt(digits):
    X, y = digits
    vae = small(model="m2", encoder="mlp:32", labels=100, likelihood="bernoulli", epochs=15, learning_rate=0.005).fit(X, y)
    probabilities = vae.classify(X)
    assert probabilities.shape == (500, 10)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, atol=1e-5)
    assert (vae.classes_[probabilities.argmax(axis=1)] == y).mean() > 0.5


def test_what_a_model_is_not_told_is_refused(vae, digits):
    with pytest.raises(ValueError, match="told nothing of rows"):
        vae.sample(y=[1])
    with pytest.raises(ValueError, match="label"):
        vae.classify(digits[0])


def test_rows_count_by_their_weights(digits):
    X, y = digits
    few = small(epochs=20, likelihood="bernoulli").fit(X, sample_weight=(y == 0).astype(float))
    even = small(epochs=20, likelihood="bernoulli").fit(X)
    gain = few.score_samples(X) - even.score_samples(X)
    assert gain[y == 0].mean() > 0 > gain[y == 1].mean()
    with pytest.raises(ValueError, match="at least one non-zero number"):
        small().fit(X, sample_weight=np.zeros(500))
