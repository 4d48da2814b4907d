"""Networks that turn one sequence into another: an encoder, a decoder, attention between them."""
