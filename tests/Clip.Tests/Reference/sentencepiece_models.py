#!/usr/bin/env python3
"""Tiny SentencePiece models of SigLIP's and SigLIP 2's kinds, and the ids that they give: sentencepiece_models.py (Debian's python3-sentencepiece, 0.1.97)

siglip.model: unigram, ids of T5's (pad 0, end 1, unknown 2), a part of the rules of nmt_nfkc, which are 240 kB in all. siglip2.model: BPE with bytes for what it lacks, ids of Gemma's (pad 0, end 1, start 2, unknown 3),
nothing normalised. Learned from the words of this project's own documentation. Ids: of SigLIP as transformers' SiglipTokenizer makes them (lower case, ASCII punctuation removed,
one space between words, a mark before the first word), of SigLIP 2 as its Siglip2Tokenizer (lower case alone); without end and padding."""
import json, pathlib, re, string
import sentencepiece

here = pathlib.Path(__file__).parent
out = here / "sentencepiece"
out.mkdir(exist_ok=True)
documents = sorted((here / "../../../infra/docs").glob("*.md")) + [here / "../../../README.md"]
lines = [line for path in documents for line in re.sub(r"[^\w\s.,'-]", " ", path.read_text()).lower().split("\n") if len(line.split()) > 3]
corpus = out / "corpus.txt"
corpus.write_text("\n".join(lines))
rules = out / "rules.tsv"
spaces = [(code, " ") for code in (0x09, 0x0a, 0x0d, 0xa0, 0x2003, 0x3000)]
wide = [(0xFEE0 + code, chr(code)) for code in range(0x21, 0x7f)]
rules.write_text("".join(f"{source:X}\t{' '.join(f'{ord(letter):X}' for letter in target)}\n" for source, target in spaces + wide + [(0xFB01, "fi"), (0xBD, "1⁄2"), (0x2126, "Ω")]))
common = dict(input=str(corpus), minloglevel=2, num_threads=1, input_sentence_size=0, train_extremely_large_corpus=False)
sentencepiece.SentencePieceTrainer.train(
    model_prefix=str(out / "siglip"), model_type="unigram", vocab_size=500, pad_id=0, eos_id=1, unk_id=2, bos_id=-1, normalization_rule_tsv=str(rules), **common)
sentencepiece.SentencePieceTrainer.train(
    model_prefix=str(out / "siglip2"), model_type="bpe", vocab_size=700, pad_id=0, eos_id=1, bos_id=2, unk_id=3, byte_fallback=True, normalization_rule_name="identity",
    add_dummy_prefix=False, remove_extra_whitespaces=False, split_digits=True, **common)
corpus.unlink()
rules.unlink()
texts = [
    "a photo of a cat", "A Photo of a Cat!", "two  dogs,\tplaying\n in the snow.", "a picture of the number 1,234", "don't print \"WORDS\" on it", "", " ", "...", "e",
    "An unbelievably-long compound_word (with brackets) & signs", "naïve café, Straße, ﬁne ½ of it", "Ωmega and Åström", "東京の写真", "a smiling 😀 face", "ÆØÅ",
    "the sparse autoencoder learns features of the vision tower", "zzzzzzzzzzzzzzzzqqqqxxxx", "full　width ＴＥＸＴ", "trailing space ", "a-b-c d/e/f 50%", "x" * 40,
]


def siglip(model, text):
    text = "▁" + text.lower().replace("▁", " ")
    text = re.sub(r"\s+", " ", text.translate(str.maketrans("", "", string.punctuation))).strip()
    ids = model.encode("<unk>" + text)
    return ids[len(model.encode("<unk>")):]


first = sentencepiece.SentencePieceProcessor()
import sentencepiece.sentencepiece_model_pb2 as pb
proto = pb.ModelProto.FromString((out / "siglip.model").read_bytes())
proto.normalizer_spec.add_dummy_prefix = False
first.LoadFromSerializedProto(proto.SerializeToString())
second = sentencepiece.SentencePieceProcessor(model_file=str(out / "siglip2.model"))
for name, ids in (("siglip", lambda text: siglip(first, text)), ("siglip2", lambda text: second.encode(text.lower()))):
    (out / f"{name}.vocab").unlink()
    (out / f"{name}.jsonl").write_text("".join(json.dumps({"text": text, "ids": ids(text)}, ensure_ascii=False) + "\n" for text in texts))
