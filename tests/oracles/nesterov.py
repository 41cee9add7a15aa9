"""NumPy oracle of Nesterov's momentum as Lasagne 0.1 writes it, one array at a time."""


def step(parameter, velocity, gradient, rate, momentum):
    """The parameter and its velocity after one update; the parameter is the point that momentum looks ahead to."""
    velocity = momentum * velocity - rate * gradient
    return parameter + momentum * velocity - rate * gradient, velocity


def textbook(parameter, velocity, gradient_at, rate, momentum):
    """Nesterov's own form: the gradient is taken at the point looked ahead to, the parameter stays behind it."""
    velocity = momentum * velocity - rate * gradient_at(parameter + momentum * velocity)
    return parameter + velocity, velocity
