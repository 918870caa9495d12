"""Solutions to the exercises of notebook 07."""


def my_mask(parsing):
    person = 1 - parsing[:, :1]
    rounded = (parsing.argmax(dim=1, keepdim=True) > 0).float()
    return rounded + person - person.detach()


def my_share(gradient, found, true):
    of_truth = gradient.gather(1, true[:, None])[:, 0]
    of_found = gradient.gather(1, found[:, None])[:, 0]
    return (of_truth < of_found)[found != true].float().mean()
