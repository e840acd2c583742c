"""The names of the files in a model folder."""

CONFIG, CALIBRATION = 'config.json', 'calibration.json'
BACKBONE, LANGUAGE, TOKENIZER = 'backbone.safetensors', 'language.safetensors', 'tokenizer.json'
SEGMENTS, NAMES, PARSER = 'segments.safetensors', 'names.safetensors', 'parser.safetensors'
INTENTS, STATEMENTS = 'intents.safetensors', 'statements.safetensors'
ADAPTER = 'parser_adapter.safetensors'
WEIGHTS = 'model.safetensors'  # of a network with a mask decoder
