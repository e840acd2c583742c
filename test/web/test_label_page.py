"""The labelling page in a real browser: a polygon by mouse, a brush stroke, keys, saving, coming back."""

import numpy as np
from PIL import Image
import pytest

from converseg_ros.datasets.labels import read_labels
from converseg_ros.evaluation.labelling import Labelling, make_label_app, pictures_of
from converseg_ros.web.server import Running


@pytest.fixture
def served(tmp_path):
    folder = tmp_path / 'table'
    folder.mkdir()
    for name in ('a.png', 'b.png'):
        Image.fromarray(np.full((48, 64, 3), 90, np.uint8)).save(folder / name)
    root, pictures = pictures_of([folder])
    out = tmp_path / 'labels.json'
    with Running(make_label_app(Labelling(root, pictures, out))) as server:
        yield server, out


def at(browser, x, y):
    """Return where pixel (x, y) of the picture is in the window."""
    box = browser.js("(() => { const b = document.getElementById('image').getBoundingClientRect();"
                     ' return [b.left, b.top, b.width] })()')  # fmt: skip
    scale = box[2] / 64
    return box[0] + (x + 0.5) * scale, box[1] + (y + 0.5) * scale


def test_a_person_labels_a_picture(browser, served):
    server, out = served
    browser.open(server.url)
    browser.until("document.getElementById('pictures').options.length === 2")
    browser.until("document.getElementById('id').value === 'table-a-01'")
    for point in ((10, 10), (40, 10), (40, 30), (10, 30)):
        browser.click(*at(browser, *point))
    browser.key('Enter')
    browser.until("document.getElementById('how').textContent === 'polygons by hand'")
    browser.key('b', text='b')
    browser.click(*at(browser, 55, 40))
    browser.until("document.getElementById('how').textContent.includes('brush')")
    browser.js("document.getElementById('prompt').focus()")
    browser.type('the grey box')
    browser.js("document.getElementById('family').value = 'spatial'")
    browser.js("document.getElementById('form').requestSubmit()")
    browser.until("document.getElementById('said').textContent === 'saved table-a-01'")
    (label,) = read_labels(out)
    mask = label.mask()
    assert mask[12:29, 12:39].all()
    assert mask[40, 55]
    assert not mask[:8].any()
    assert (label.prompt, label.family, label.image) == ('the grey box', 'spatial', 'a.png')
    assert label.how == 'polygons by hand, brush by hand'

    browser.until("document.getElementById('id').value === 'table-a-02'")  # the next label, here without a target
    browser.js("document.getElementById('prompt').focus()")
    browser.type('the cat')
    browser.js("document.getElementById('form').requestSubmit()")
    browser.until("document.getElementById('said').textContent === 'saved table-a-02'")
    assert not read_labels(out)[1].mask().any()

    browser.js("document.querySelector('#labels li').click()")
    browser.until("document.getElementById('prompt').value === 'the grey box'")
    browser.js("document.getElementById('form').requestSubmit()")
    browser.until("document.getElementById('id').value === 'table-a-03'")
    assert (read_labels(out)[0].mask() == mask).all()  # as it was, through the page's run-length code
    assert not browser.problems
