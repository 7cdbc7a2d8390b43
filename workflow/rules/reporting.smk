# Products for people, in several forms, of which the report shows some. Each function takes the stem of the path and
# the label under which the report shows the product. `in_report` adds what the products of one notebook share.


def page(stem, label, **labels):
    """An executed notebook, as HTML."""
    return [("html", f"{stem}.html", {"figure": label, **labels})]


def figure(stem, label, prefix="", **labels):
    """A figure: SVG, which the report shows, and PNG."""
    return [
        (f"{prefix}svg", f"{stem}.svg", {"figure": label, **labels}),
        (f"{prefix}png", f"{stem}.png", None),
    ]


def animation(stem, label, **labels):
    """A moving figure: GIF."""
    return [("gif", f"{stem}.gif", {"figure": label, **labels})]


def table(stem, label, prefix="", **labels):
    """A table: CSV, which the report shows, Markdown and LaTeX."""
    return [
        (f"{prefix}csv", f"{stem}.csv", {"figure": label, **labels}),
        (f"{prefix}markdown", f"{stem}.md", None),
        (f"{prefix}latex", f"{stem}.tex", None),
    ]


def latex(stem, label, **labels):
    """The LaTeX of a table that comes before it, shown in the report as well."""
    return [("latex", f"{stem}.tex", {"figure": label, **labels})]


def in_report(*products, caption, category, **shared):
    """Outputs by name. Those with labels are in the report, with the shared ones; caption: a file of workflow/report."""
    outputs = {}
    for name, path, labels in itertools.chain(*products):
        if labels is not None:
            of_dataset = label_of_dataset("{dataset}") if "{dataset}" in path else {}
            labels = shared | labels | of_dataset | NOTICE
            path = report(path, caption=f"../report/{caption}.rst", category=category, labels=labels)
        outputs[name] = path
    return outputs
