"""Solutions to the exercises of notebook 13."""


def my_ssim(x, y, data_range):
    c1, c2 = (0.01 * data_range) ** 2, (0.03 * data_range) ** 2
    covariance = ((x - x.mean()) * (y - y.mean())).mean()
    means = (2 * x.mean() * y.mean() + c1) / (x.mean() ** 2 + y.mean() ** 2 + c1)
    return means * (2 * covariance + c2) / (x.var() + y.var() + c2)


def my_mask_ssim(inside, share):
    return 1 - share + share * inside
