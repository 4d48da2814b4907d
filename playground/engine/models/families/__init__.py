"""The particulars of each family of models: a module a family, and one table of them."""
