// Faults on purpose. Each takes its one argument from Python, so that no compiler can foresee them.
#include <Python.h>

#include <memory>
#include <thread>

namespace {

constexpr long kSize = 8;

// Sound for 0 to 7.
long WriteAt(long index) {
  const auto values = std::make_unique<char[]>(kSize);
  values[static_cast<std::size_t>(index)] = 1;
  return values[0];
}

// Sound for 0.
long ReadAfterFree(long freed) {
  auto owner = std::make_unique<long>(freed);
  const long* volatile value = owner.get();  // volatile: the compiler shall not see what it is
  if (freed != 0) {
    owner.reset();
  }
  return *value;
}

// Sound up to the greatest long but one.
long Increment(long value) { return value + 1; }

// Sound for 1.
long CountFrom(long threads) {
  long count = 0;
  const auto add = [&count] {
    for (int i = 0; i < 1000; ++i) {
      ++count;
    }
  };
  std::thread other(add);
  if (threads == 1) {
    other.join();
  }
  add();
  if (threads != 1) {
    other.join();
  }
  return count;
}

template <long (*function)(long)>
PyObject* Call(PyObject*, PyObject* argument) {
  const long value = PyLong_AsLong(argument);
  return PyErr_Occurred() != nullptr ? nullptr : PyLong_FromLong(function(value));
}

PyMethodDef g_methods[] = {
    {"write_at", Call<WriteAt>, METH_O, nullptr},
    {"read_after_free", Call<ReadAfterFree>, METH_O, nullptr},
    {"increment", Call<Increment>, METH_O, nullptr},
    {"count_from", Call<CountFrom>, METH_O, nullptr},
    {nullptr, nullptr, 0, nullptr},
};

PyModuleDef g_module = {
    PyModuleDef_HEAD_INIT, "_core", nullptr, -1, g_methods, nullptr, nullptr, nullptr, nullptr};

}  // namespace

PyMODINIT_FUNC PyInit__core() { return PyModule_Create(&g_module); }
