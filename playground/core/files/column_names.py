"""Names that a column of a file may have, part by part; compared without case and spaces, in NFC."""

from __future__ import annotations

from collections.abc import Mapping

NAMES: Mapping[str, tuple[str, ...]] = {
    "prompt": ("prompt", "prompts", "프롬프트"),
    "text": ("text", "texts", "sentence", "sentences", "텍스트", "문장", "글", "내용", "본문", "리뷰"),
    "label": ("label", "labels", "class", "category", "라벨", "레이블", "분류", "정답", "답", "감정"),
    "instruction": ("instruction", "input", "지시", "지시문", "명령", "입력"),
    "response": ("response", "output", "응답", "출력"),
    "completion": ("completion", "완성", "이어쓰기"),
    "question": ("question", "질문", "물음", "문제"),
    "answer": ("answer", "답변", "대답", "답", "정답"),
    "sentence_a": ("sentence_a", "a", "문장a", "문장_a"),
    "sentence_b": ("sentence_b", "b", "문장b", "문장_b"),
    "group": ("group", "kind", "category", "종류", "묶음", "분류"),
    "source": ("source", "src", "원문", "입력", "input"),
    "target": ("target", "tgt", "목표", "출력", "번역", "output"),
    "reference": ("reference", "references", "ref", "gold", "target", "label", "참조", "정답", "라벨"),
    "reference_2": ("reference_2", "reference2", "ref2", "참조_2", "참조2", "정답_2", "정답2"),
    "candidate": ("candidate", "prediction", "predicted", "hypothesis", "hyp", "output", "후보", "예측"),
    "chosen": ("chosen", "preferred", "선호"),
    "rejected": ("rejected", "dispreferred", "비선호"),
    "topic": ("topic", "주제"),
}
