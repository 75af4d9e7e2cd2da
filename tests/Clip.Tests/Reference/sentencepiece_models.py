#!/usr/bin/env python3
"""Tiny SentencePiece models of SigLIP's, SigLIP 2's and MetaCLIP 2's kinds, and the ids that they give: sentencepiece_models.py (Debian's python3-sentencepiece, 0.1.97)

siglip.model: unigram, ids of T5's (pad 0, end 1, unknown 2), a part of the rules of nmt_nfkc, which are 240 kB in all. siglip2.model: BPE with bytes for what it lacks, ids of Gemma's (pad 0, end 1, start 2, unknown 3),
nothing normalised. xlm.model: unigram, SentencePiece's own ids (unknown 0, start 1, end 2) and all of its nmt_nfkc, as XLM-R's and XLM-V's, learned from the texts below. The others learned from the words of this project's own documentation. Ids: of SigLIP as transformers' SiglipTokenizer makes them (lower case, ASCII punctuation removed,
one space between words, a mark before the first word), of SigLIP 2 as its Siglip2Tokenizer (lower case alone), of MetaCLIP 2 as its XLMRobertaTokenizer: the text as it is, every id one more, unknown 3; without start, end and padding."""
import json, pathlib, random, re, string
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
scripts = [
    "a photo of a cat", "two dogs playing in the snow", "The red bus stops near the old station", "ein Foto von einer Katze auf dem Tisch", "une photo d'un chat noir et d'une maison",
    "una foto de un perro en la playa", "фотография кошки на столе", "красная машина стоит у дома", "φωτογραφία μιας γάτας στο τραπέζι", "一张猫的照片", "桌子上的红色苹果", "猫の写真です", "テーブルの上の赤いりんご",
    "고양이 사진입니다", "탁자 위의 빨간 사과", "صورة قطة على الطاولة", "تفاحة حمراء في السوق", "תמונה של חתול על השולחן", "बिल्ली की एक तस्वीर", "मेज पर लाल सेब", "বিড়ালের একটি ছবি", "பூனையின் புகைப்படம்",
    "ภาพถ่ายของแมว", "รถยนต์สีแดง", "một bức ảnh của con mèo", "zdjęcie kota na stole", "kırmızı elma masanın üzerinde", "ფოტო კატის", "կատվի լուսանկար", "የድመት ፎቶ", "ছবি", "foto ya paka mezani"]
dice = random.Random(1)
corpus.write_text("\n".join(" ".join(dice.choice(line.split()) for _ in range(5)) for line in scripts for _ in range(60)))
sentencepiece.SentencePieceTrainer.train(
    model_prefix=str(out / "xlm"), model_type="unigram", vocab_size=330, unk_id=0, bos_id=1, eos_id=2, pad_id=-1, normalization_rule_name="nmt_nfkc", **common)
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
third = sentencepiece.SentencePieceProcessor(model_file=str(out / "xlm.model"))
worldwide = scripts + texts + [
    "A PHOTO of Two Cats!", "ｆｕｌｌｗｉｄｔｈ ａｎｄ ｶﾞﾗｽ", "ﻻ ﷲ", "e\u0301te\u0301 and été", "猫と犬 and dogs", "  leading and\u3000wide  spaces\u00a0here ", "zero\u200bwidth", "tab\tand\nline", "🐈 on 桌子",
    "한글 \u1112\u1161\u11ab", "½ ² ①", "<s> </s> <mask>", "\u00ad soft", "ß ẞ ǅ", "Привет, мир! 2026", "क्षत्रिय ज्ञान", "ﬁ ﬂ ﬀ", "ᚠᚢᚦ runes", "…‥·"]
second = sentencepiece.SentencePieceProcessor(model_file=str(out / "siglip2.model"))
for name, ids, of in (("siglip", lambda text: siglip(first, text), texts), ("siglip2", lambda text: second.encode(text.lower()), texts),
                      ("xlm", lambda text: [id + 1 if id else 3 for id in third.encode(text)], worldwide)):
    (out / f"{name}.vocab").unlink()
    (out / f"{name}.jsonl").write_text("".join(json.dumps({"text": text, "ids": ids(text)}, ensure_ascii=False) + "\n" for text in of))
