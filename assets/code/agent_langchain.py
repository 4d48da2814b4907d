# The same agent in LangChain's parts, against this server: a chain that is called until it finishes.
import ast
import datetime
import operator
import re

from langchain_core.documents import Document
from langchain_core.output_parsers import StrOutputParser
from langchain_core.prompts import PromptTemplate
from langchain_core.retrievers import BaseRetriever
from langchain_core.runnables import RunnableLambda
from langchain_core.tools import tool
from langchain_openai import OpenAI

base_url = "http://localhost:8501/v1"
api_key = "the key that the playground has made for you"
model = "HuggingFaceTB/SmolLM2-135M-Instruct"
question = "What is 37 times 24?"
examples = "Answer the question with a tool: calculator, search, calendar or finish.\n\n"
passages = ["A ticket costs 18 crowns.", "The observatory cat is called Pixel."]
most = 56  # tokens of a turn
max_turns = 6


class Passages(BaseRetriever):
    """The retriever: the passage that shares most words with the query."""

    texts: list[str]

    def _get_relevant_documents(self, query: str, *, run_manager: object) -> list[Document]:
        def common(text: str) -> int:
            return len(set(re.findall(r"\w+", text.lower())) & set(re.findall(r"\w+", query.lower())))

        return [Document(text) for text in sorted(self.texts, key=common, reverse=True)[:1] if common(text)]


SIGNS = {ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.Div: operator.truediv}


def value(node: ast.AST) -> float:
    """The value of a sum or product of numbers; anything else is an error."""
    if isinstance(node, ast.BinOp):
        return SIGNS[type(node.op)](value(node.left), value(node.right))
    if isinstance(node, ast.Constant) and isinstance(node.value, int | float) and abs(node.value) < 1e12:
        return node.value
    raise ValueError("this is not arithmetic")


@tool
def calculator(text: str) -> str:
    """Arithmetic."""
    return f"{value(ast.parse(text[:80], mode='eval').body):g}"


@tool
def search(text: str) -> str:
    """Questions about the documents."""
    return next((one.page_content for one in Passages(texts=passages).invoke(text)), "Nothing found.")


@tool
def calendar(text: str) -> str:
    """Dates: a day, or a day + a number of days."""
    day, days = re.fullmatch(r"(\d{4}-\d{2}-\d{2})(?: \+ (\d{1,5}) days?)?", text).groups()
    found = datetime.date.fromisoformat(day) + datetime.timedelta(days=int(days or 0))
    return f"{found}, {found:%A}"


tools = {one.name: one for one in (calculator, search, calendar)}  # nothing else can be called


def parse(text: str) -> tuple[str, str, str]:
    """The parser: (text, tool, input) of a turn."""
    call = re.search(r"^ ?Action: (\w+)\[(.*)\]", text, re.MULTILINE)
    return (text, call[1], call[2]) if call else (text, "", "")


prompt = PromptTemplate.from_template("{examples}Question: {question}\n{memory}Thought:")
llm = OpenAI(base_url=base_url, api_key=api_key, model=model, temperature=0, max_tokens=most, max_retries=0)
chain = (
    prompt
    | llm.bind(stop=["\nObservation:", "\nQuestion:", "\n\n"])
    | StrOutputParser()
    | RunnableLambda(parse)
)

memory, answer = "", ""
for _turn in range(max_turns):
    text, name, words = chain.invoke({"examples": examples, "question": question, "memory": memory})
    if name == "finish":
        answer = words
        break
    try:
        seen = tools[name].invoke(words)
    except (KeyError, ValueError, AttributeError, SyntaxError, ArithmeticError) as error:
        seen = f"Error: {error}"
    memory += f"Thought:{text.rstrip()}\nObservation: {seen}\n"
print(memory, answer, sep="")
